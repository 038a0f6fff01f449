"""The same as ``posediff convert posetrack17``."""

from posediff.cli.convert.posetrack17 import main

if __name__ == '__main__':
    main()
