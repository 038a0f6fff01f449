"""The same as ``posediff video``."""

from posediff.cli.video import main

if __name__ == '__main__':
    main()
