"""The same as ``posediff publish``."""

from posediff.cli.publish import main

if __name__ == '__main__':
    main()
