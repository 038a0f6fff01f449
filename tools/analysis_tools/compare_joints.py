"""The same as ``posediff benchmark joints``."""

from posediff.cli.benchmark.joints import main

if __name__ == '__main__':
    main()
