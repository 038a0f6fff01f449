"""The same as ``posediff convert h36m``."""

from posediff.cli.convert.h36m import main

if __name__ == '__main__':
    main()
