"""Find references in configs: strings such as ``'${num_frames}'`` that stand for another value of the config."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

REFERENCE = re.compile(r'(\*?)\$\{(.+)\}', re.DOTALL)
"""Pattern for ``fullmatch``. Groups: ``*`` if the items of a list are inserted, else empty; and the expression."""


def find_references(part: Any, place: str = '') -> Iterator[tuple[str, str]]:
    """Yield the references in a part of a config.

    Args:
        part: A value of the config.
        place: Dotted key of ``part``.

    Yields:
        Dotted key, and the reference.
    """
    if isinstance(part, dict):
        for key, value in part.items():
            yield from find_references(value, f'{place}.{key}'.lstrip('.'))
    elif isinstance(part, (list, tuple)):
        for number, value in enumerate(part):
            yield from find_references(value, f'{place}.{number}'.lstrip('.'))
    elif isinstance(part, str) and REFERENCE.fullmatch(part):
        yield place, part


def refuse_references(part: Any, origin: str, place: str = '') -> None:
    """Raise an error if a part of a config contains references that were not resolved.

    Args:
        part: A value of the config.
        origin: Source of the config, named in the message.
        place: Dotted key of ``part``.

    Raises:
        ValueError: There is a reference; the message names the first and says how to read the config.
    """
    for found, reference in find_references(part, place):
        raise ValueError(
            f'{origin}: {found} = {reference!r} is a reference that was not resolved; read the config with '
            'posediff.engine.config.load_config(FILE) instead of Config.fromfile(FILE)'
        )
