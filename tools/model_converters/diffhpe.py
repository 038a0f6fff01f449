"""The same as ``posediff convert diffhpe``."""

from posediff.cli.convert.diffhpe import main

if __name__ == '__main__':
    main()
