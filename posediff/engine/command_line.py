"""Arguments and error reporting that all command lines share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def one_line_errors(unless: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Report an exception in one line on stderr and end the program with exit code 2.

    Commands read their input and build components within this block; errors of later steps keep their traceback.
    ``POSEDIFF_TRACEBACK=1`` in the environment keeps the traceback here too.

    Args:
        unless: Called when an exception is raised; if it returns true, the exception is raised unchanged.
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


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``, as in OpenMMLab's tools."""
    from mmengine.config import DictAction  # here, since it delays the help of commands without this option

    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override config keys, e.g. model.test_cfg.num_hypotheses=5',
    )


def add_device(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add ``--device``."""
    parser.add_argument('--device', default='cpu', help='torch device, e.g. cuda:0; default: %(default)s')


def positive(text: str) -> int:
    """Convert the text of an argument to a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not a positive number')
    return int(text)
