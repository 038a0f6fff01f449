"""The same as ``posediff convert cmu``."""

from posediff.cli.convert.cmu import main

if __name__ == '__main__':
    main()
