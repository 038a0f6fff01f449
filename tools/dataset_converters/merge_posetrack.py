"""The same as ``posediff convert merge-posetrack``."""

from posediff.cli.convert.merge_posetrack import main

if __name__ == '__main__':
    main()
