"""The same as ``posediff benchmark video``."""

from posediff.cli.benchmark.video import main

if __name__ == '__main__':
    main()
