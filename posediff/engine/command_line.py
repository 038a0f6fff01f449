"""What the tools' command lines share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def one_line_errors(unless: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """End the program with one line on stderr and exit code 2 where the input is at fault.

    Meant for reading and building: what fails later is worth a traceback, which ``POSEDIFF_TRACEBACK=1`` shows here
    too.

    Args:
        unless: Asked when something fails; true lets the exception through.
    """
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, ImportError) as error:
        if unless() or os.environ.get('POSEDIFF_TRACEBACK'):
            raise
        message = error.args[0] if isinstance(error, KeyError) and error.args else error
        text = ' '.join(str(message).split()) or type(error).__name__
        sys.stderr.write(f'error: {text} (POSEDIFF_TRACEBACK=1 shows where)\n')
        raise SystemExit(2) from None


def positive(text: str) -> int:
    """Type of an argument that counts something: 1, 2, …"""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not a positive number')
    return int(text)
