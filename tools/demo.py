"""The same as ``posediff demo``."""

from posediff.cli.demo import main

if __name__ == '__main__':
    main()
