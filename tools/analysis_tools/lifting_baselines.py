"""The same as ``posediff benchmark baselines``."""

from posediff.cli.benchmark.baselines import main

if __name__ == '__main__':
    main()
