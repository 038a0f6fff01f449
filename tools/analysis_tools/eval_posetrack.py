"""The same as ``posediff eval-posetrack``."""

from posediff.cli.eval_posetrack import main

if __name__ == '__main__':
    main()
