"""Take files apart, with errors that name the file and the entry."""

from __future__ import annotations

import json
from array import array
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

MISSING_SCORE = -9999.0
"""Score of joints that come without one."""


class Entry:
    """Where in a file the reader is. Used as a context, it names that place in the errors of the block.

    Args:
        file: What the errors call the file.
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
        FileNotFoundError: There is no such file.
        ValueError: It does not hold a JSON object.
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
    """Stack the lists of numbers that annotations have under a key.

    Args:
        annotations: All of a file.
        indices: Which of them are read, N; ``entry`` is at the one that is being read.
        key: What is read: a list of ``width`` numbers, or of lists of numbers that hold as many together.
        longer: Longer lists are cut; otherwise they are an error.
        null: None is NaN; otherwise it is an error.

    Returns:
        (N, width), float64.

    Raises:
        KeyError: An annotation lacks the key.
        ValueError: A list is too short or too long.
        TypeError: It holds something that is not a number.
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
    """A list, without the lists in it: ``[[x, y, v], …]`` to ``[x, y, v, …]``."""
    if not isinstance(row, list):
        raise TypeError(f'expected a list, not {row!r:.40}')
    if row and isinstance(row[0], list):
        return [value for part in row for value in flat(part)]
    return row


def _nan_for_none(values: list[Any]) -> list[Any]:
    return [float('nan') if value is None else value for value in values]


def head_size(x1: np.ndarray, y1: np.ndarray, x2: np.ndarray, y2: np.ndarray) -> np.ndarray:
    """The length, in px, that distances are measured by: 0.6 times the diagonal of the box of the head."""
    return 0.6 * np.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)


def check_unique(track_ids: Iterable[Any], frame: str) -> None:
    """Raise ValueError where two persons of one frame have the same track id."""
    seen: set[Hashable] = set()
    for track_id in track_ids:
        if track_id in seen:
            raise ValueError(f'track_id {track_id!r} occurs twice in frame {frame}')
        seen.add(track_id)


def check_track_id(track_id: Any) -> None:
    """Raise ValueError unless it is a number below 10000, as poseval demands to tell sequences apart."""
    if isinstance(track_id, bool) or not isinstance(track_id, (int, float)) or not track_id < 10000:
        raise ValueError(f'track_id is {track_id!r}, and has to be a number below 10000')
