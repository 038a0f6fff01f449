"""The same as ``posediff test``."""

from posediff.cli.test import main

if __name__ == '__main__':
    main()
