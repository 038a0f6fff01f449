"""The same as ``posediff benchmark hypotheses``."""

from posediff.cli.benchmark.hypotheses import main

if __name__ == '__main__':
    main()
