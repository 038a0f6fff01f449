"""The same as ``posediff lift``."""

from posediff.cli.lift import main

if __name__ == '__main__':
    main()
