"""The same as ``posediff benchmark views``."""

from posediff.cli.benchmark.views import main

if __name__ == '__main__':
    main()
