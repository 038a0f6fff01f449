"""Track ids stated by keypoint files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

LARGEST = 2**31 - 1
"""Largest number used as an id: visualization and export use 32-bit integers."""

_WHOLE = re.compile(r'\d+(\.0*)?')


def track_ids(file: str, people: Sequence[tuple[str, int, Any]]) -> tuple[list[int | None], dict[int, str]]:
    """Convert the ids of a file to integers.

    Integers from 0 (7, 7.0, "7") are kept. If any id of a file is something else (a name, a number beyond 32 bits), all
    ids are renumbered from 0 in order of appearance. -1 and null mean no id, as in MOTChallenge's and OpenPose's files.

    Args:
        file: Name of the file, for messages.
        people: Location of each person, for messages, its frame, and its id.

    Returns:
        The ids, None for persons without one, and the file's own ids by number, if they were renumbered.

    Raises:
        ValueError: Two persons of one frame have the same id, or an id is neither a number nor text.
    """
    given = [_plain(where, value) for where, _, value in people]
    taken: dict[tuple[int, Any], str] = {}
    for (where, frame, _), value in zip(people, given, strict=True):
        if value is None:
            continue
        if (frame, value) in taken:
            raise ValueError(
                f'{where}: id {value!r} belongs to two people of frame {frame} (the other: {taken[frame, value]}); '
                '--tracker pose creates new ids'
            )
        taken[frame, value] = where
    if all(value is None or isinstance(value, int) for value in given):
        return [value if isinstance(value, int) else None for value in given], {}
    order = sorted(range(len(given)), key=lambda row: people[row][1])
    numbers: dict[Any, int] = {}
    for row in order:
        if given[row] is not None:
            numbers.setdefault(given[row], len(numbers))
    ids = [None if value is None else numbers[value] for value in given]
    return ids, {number: str(value) for value, number in numbers.items()}


def _plain(where: str, value: Any) -> int | str | None:
    while isinstance(value, list) and value:  # AlphaPose wraps ids in lists, those of merged poses twice
        value = value[0]
    if value is None or value == []:
        return None
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value.strip().partition('.')[0])
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise ValueError(f'{where}: a track id is a whole number or a text, got {value!r}')
    if value == -1:
        return None
    return int(value) if 0 <= value <= LARGEST and value == int(value) else str(value)
