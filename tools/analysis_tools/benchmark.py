"""The same as ``posediff benchmark model``."""

from posediff.cli.benchmark.model import main

if __name__ == '__main__':
    main()
