"""The same as ``posediff benchmark posetrack``."""

from posediff.cli.benchmark.posetrack import main

if __name__ == '__main__':
    main()
