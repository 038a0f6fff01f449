"""Arguments that have to be whole numbers, finite numbers, or one of a few words."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any


def require_whole(owner: str, values: Mapping[str, Any], least: int) -> None:
    """Require whole numbers of at least ``least``.

    Raises:
        ValueError: One is not; the message names the owner, the argument and its value.
    """
    for name, value in values.items():
        # numpy's integers have __index__ too; bool is an int, but nobody counts in it
        if isinstance(value, bool) or not hasattr(value, '__index__') or value < least:
            raise ValueError(f'{owner}: {name} must be a whole number of at least {least}, got {value!r}')


def require_finite(owner: str, values: Mapping[str, Any]) -> None:
    """Require finite numbers.

    Raises:
        ValueError: One is not; the message names the owner, the argument and its value.
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f'{owner}: {name} must be a finite number, got {value!r}')


def require_one_of(owner: str, name: str, value: Any, known: Collection[str]) -> None:
    """Require one of the known words.

    Raises:
        ValueError: It is another; the message lists them.
    """
    if value not in known:
        raise ValueError(f'{owner}: {name} must be one of {", ".join(known)}, got {value!r}')
