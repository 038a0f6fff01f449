"""Parsing of files, with errors that name the file and the entry."""

from __future__ import annotations

import json
from array import array
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

MISSING_SCORE = -9999.0
"""Score of joints for which the file states none."""


class Entry:
    """The current position in a file. As a context manager, it prefixes errors of the block with that position.

    Args:
        file: Name of the file in errors.

    Attributes:
        place: The entry that is being read, e.g. ``('annotations', 3)`` or ``'categories'``; None: the whole file. The
            reader sets it.
    """

    def __init__(self, file: str | Path) -> None:
        self.file = str(file)
        self.place: tuple[str, int] | str | None = None

    def __str__(self) -> str:
        if self.place is None:
            return self.file
        place = self.place if isinstance(self.place, str) else f'{self.place[0]}[{self.place[1]}]'
        return f'{self.file}: {place}'

    def __enter__(self) -> Entry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, KeyError):
            raise ValueError(f'{self} has no {error.args[0]!r}') from error
        if isinstance(error, (ValueError, LookupError, TypeError, AttributeError, OverflowError)):
            text = str(error)
            raise ValueError(text if text.startswith(self.file) else f'{self}: {text}') from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that holds a JSON object.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file does not hold a JSON object.
    """
    with Entry(path):
        document = json.loads(path.read_bytes())
        if not isinstance(document, dict):
            raise ValueError('the file does not hold a JSON object')
    return document


def number_table(
    annotations: Sequence[dict[str, Any]],
    indices: Sequence[int],
    key: str,
    width: int,
    entry: Entry,
    longer: bool = False,
    null: bool = False,
) -> np.ndarray:
    """Stack the lists of numbers under a key of annotations.

    Args:
        annotations: All annotations of a file.
        indices: N indices of the annotations to read. ``entry`` is set to the current one.
        key: The key to read: a list of ``width`` numbers, or nested lists with ``width`` numbers in total.
        width: Expected number of values.
        entry: Position in the file, for errors.
        longer: True: truncate longer lists to ``width``; False: longer lists are an error.
        null: True: read None as NaN; False: None is an error.

    Returns:
        (N, width), float64.

    Raises:
        KeyError: An annotation lacks the key.
        ValueError: A list is too short or too long.
        TypeError: A value is not a number.
    """
    buffer = array('d')
    for index in indices:
        entry.place = ('annotations', index)
        values = flat(annotations[index][key])
        if len(values) != width:
            if len(values) < width or not longer:
                raise ValueError(f'{key} has {len(values)} numbers, not {width}')
            values = values[:width]
        try:
            buffer.fromlist(_nan_for_none(values) if null and None in values else values)
        except TypeError:
            raise TypeError(f'{key} holds something that is not a number') from None
    entry.place = None
    return np.array(buffer, dtype=np.float64).reshape(-1, width)


def flat(row: Any) -> list[Any]:
    """Flatten a list: ``[[x, y, v], …]`` to ``[x, y, v, …]``."""
    if not isinstance(row, list):
        raise TypeError(f'expected a list, not {row!r:.40}')
    if row and isinstance(row[0], list):
        return [value for part in row for value in flat(part)]
    return row


def _nan_for_none(values: list[Any]) -> list[Any]:
    return [float('nan') if value is None else value for value in values]


def head_size(x1: np.ndarray, y1: np.ndarray, x2: np.ndarray, y2: np.ndarray) -> np.ndarray:
    """Return the reference length of distances in px: 0.6 times the diagonal of the head box."""
    return 0.6 * np.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)


def check_unique(track_ids: Iterable[Any], frame: str) -> None:
    """Raise ValueError if two persons of one frame have the same track id."""
    seen: set[Hashable] = set()
    for track_id in track_ids:
        if track_id in seen:
            raise ValueError(f'track_id {track_id!r} occurs twice in frame {frame}')
        seen.add(track_id)


def check_track_id(track_id: Any) -> None:
    """Raise ValueError unless the track id is a number below 10000, the limit that poseval needs per sequence."""
    if isinstance(track_id, bool) or not isinstance(track_id, (int, float)) or not track_id < 10000:
        raise ValueError(f'track_id is {track_id!r}, which is not a number below 10000')
