"""What the tools' command lines share."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import posediff


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


def provenance(args: argparse.Namespace) -> dict[str, Any]:
    """What a result needs beside it to be made again: every argument, versions, threads, the commit of a checkout."""
    import torch  # not at the top: some tools do without, and it takes a second and 200 MB

    arguments = {name: str(value) if isinstance(value, Path) else value for name, value in vars(args).items()}
    versions = {'posediff': posediff.__version__, 'torch': torch.__version__, 'commit': _commit()}
    return {'arguments': arguments, 'versions': versions, 'threads': torch.get_num_threads()}


def _commit() -> str | None:
    """Commit of the checkout that posediff is run from, with ``-dirty`` where files differ; None outside one."""
    command = ['git', '-C', str(Path(posediff.__file__).parent), 'describe', '--always', '--dirty', '--abbrev=12']
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def positive(text: str) -> int:
    """Type of an argument that counts something: 1, 2, …"""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not a positive number')
    return int(text)
