"""The same as ``posediff make-synthetic-video``."""

from posediff.cli.make_synthetic_video import main

if __name__ == '__main__':
    main()
