"""The argument parser that all commands use."""

from __future__ import annotations

import argparse


def command_parser(prog: str | None, description: str | None, epilog: str | None = None) -> argparse.ArgumentParser:
    """Create the parser of a command.

    Args:
        prog: Name in help and errors, ``'posediff train'``; the name of the script if ``None``.
        description: Text above the arguments, printed as it is: the docstring of the command's module.
        epilog: Text below the arguments, printed as it is.
    """
    plain = None if description is None else description.replace('``', '').strip()
    return argparse.ArgumentParser(
        prog=prog, description=plain, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def image_size(text: str) -> tuple[int, int]:
    """Convert ``WxH`` to (h, w) px."""
    sides = text.lower().split('x')
    if len(sides) != 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise argparse.ArgumentTypeError(f'{text!r} is not WxH in px, e.g. 1920x1080')
    width, height = map(int, sides)
    return height, width
