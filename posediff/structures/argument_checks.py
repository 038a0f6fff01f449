"""Checks of arguments: whole numbers, finite numbers, values of a list."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any


def require_whole(owner: str, values: Mapping[str, Any], least: int) -> None:
    """Check that values are whole numbers of at least ``least``.

    Args:
        owner: Class or option group of the arguments, for the message.
        values: Name of each argument → its value.
        least: Minimum.

    Raises:
        ValueError: A value is not; the message names the owner, the argument and the value.
    """
    for name, value in values.items():
        # numpy integers also have __index__; bool is an int subclass and must be rejected
        if isinstance(value, bool) or not hasattr(value, '__index__') or value < least:
            raise ValueError(f'{owner}: {name} must be a whole number of at least {least}, got {value!r}')


def require_finite(owner: str, values: Mapping[str, Any], least: float = -math.inf, most: float = math.inf) -> None:
    """Check that values are finite numbers of at least ``least`` and at most ``most``.

    Args:
        owner, values: See :func:`require_whole`.
        least, most: Minimum and maximum, both allowed.

    Raises:
        ValueError: A value is not; the message names the owner, the argument and the value.
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f'{owner}: {name} must be a finite number, got {value!r}')
        if not least <= value <= most:
            limits = f'at least {least:g}' if most == math.inf else f'between {least:g} and {most:g}'
            raise ValueError(f'{owner}: {name} must be {limits}, got {value!r}')


def require_one_of(owner: str, name: str, value: Any, known: Collection[str]) -> None:
    """Check that a value is in ``known``.

    Raises:
        ValueError: It is not; the message lists the known values.
    """
    if value not in known:
        raise ValueError(f'{owner}: {name} must be one of {", ".join(known)}, got {value!r}')
