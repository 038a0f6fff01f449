"""The same as ``posediff benchmark occlusion``."""

from posediff.cli.benchmark.occlusion import main

if __name__ == '__main__':
    main()
