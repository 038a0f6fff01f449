"""The same as ``posediff train``."""

from posediff.cli.train import main

if __name__ == '__main__':
    main()
