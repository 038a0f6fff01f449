"""The versions in ``constraints.txt``, which pip is given in every step."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
NAME = 'constraints.txt'


def constraints_file() -> Path:
    """Find ``constraints.txt``: in the package, where a wheel has it, or in the root of a checkout.

    Raises:
        FileNotFoundError: This installation has neither.
    """
    for path in (PACKAGE / 'installation' / NAME, PACKAGE.parent / NAME):
        if path.is_file():
            return path
    raise FileNotFoundError(f'this installation of posediff has no {NAME}: neither in {PACKAGE} nor beside it')


def pinned_versions(file: Path, python: tuple[int, int] = sys.version_info[:2]) -> dict[str, str]:
    """Read the versions that apply to a Python.

    Args:
        file: Lines ``name==version``, with or without a marker ``; python_version >= "3.11"``.
        python: Major and minor version.

    Returns:
        Version by normalised name, see :func:`normalise`.

    Raises:
        ValueError: A line is neither.
    """
    pins = {}
    for line in file.read_text(encoding='utf-8').splitlines():
        text = line.partition('#')[0].strip()
        if not text:
            continue
        pin = re.fullmatch(r'([\w.-]+)==([\w.+!-]+)(?:\s*;\s*python_version (>=|<) "3\.(\d+)")?', text)
        if pin is None:
            raise ValueError(f'{file}: {line!r} is no pin: name==version; python_version >= "3.x"')
        name, version, relation, minor = pin.groups()
        if relation is None or (python >= (3, int(minor))) == (relation == '>='):
            pins[normalise(name)] = version
    return pins


def normalise(name: str) -> str:
    """Write a distribution's name as package indexes do: ``'json_tricks'`` → ``'json-tricks'``."""
    return re.sub(r'[-_.]+', '-', name).lower()
