"""The same as ``posediff benchmark calibration``."""

from posediff.cli.benchmark.calibration import main

if __name__ == '__main__':
    main()
