"""The same as ``posediff benchmark activations``."""

from posediff.cli.benchmark.activations import main

if __name__ == '__main__':
    main()
