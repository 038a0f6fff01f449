"""The words of Acclaim files: sections of lines, and what a block of lines says under a keyword."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posediff.fileio.input_files import read_text

_SPACE = str.maketrans(',;()[]{}', ' ' * 8)


def lines_of_words(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number, from 1, and words of each line that has any, without comments; commas and brackets are white space."""
    for number, line in enumerate(read_text(path, 'latin-1').translate(_SPACE).splitlines(), start=1):
        words = line.split('#', 1)[0].split()
        if words:
            yield number, words


def read_lines(path: Path) -> dict[str, list[list[str]]]:
    """Lines of an ASF file as words, by the ``:keyword``, in lower case, that opens their section."""
    sections: dict[str, list[list[str]]] = {}
    current: list[list[str]] = []
    for _, words in lines_of_words(path):
        if words[0].startswith(':'):
            current = sections.setdefault(words[0][1:].lower(), [])
            words = words[1:]
        if words:
            current.append(words)
    return sections


class BlockReader:
    """Takes entries out of lines that each begin with a keyword, with errors that name the place.

    Args:
        place: What errors call the block.
        lines: Words of each line.
    """

    def __init__(self, place: str, lines: list[list[str]]) -> None:
        self.place = place
        self._entries = {words[0].lower(): words[1:] for words in lines}

    def words(self, key: str, least: int = 0, required: bool = True) -> list[str]:
        """Words after a keyword.

        Raises:
            ValueError: There are fewer than ``least``, or no such keyword though it is required.
        """
        if key not in self._entries and required:
            raise ValueError(f'{self.place} is incomplete: it has no {key}')
        found = self._entries.get(key, [])
        if len(found) < least:
            raise ValueError(f'{self.place} is incomplete: {key} has {len(found)} values, expected {least}')
        return found

    def numbers(self, key: str, count: int, default: float | None = None) -> np.ndarray:
        """The first ``count`` numbers after a keyword, (count,); ``default`` for each where there is no such keyword.

        Raises:
            ValueError: There are fewer, or something else than finite numbers.
        """
        if default is not None and key not in self._entries:
            return np.full(count, default)
        words = self.words(key, count)[:count]
        try:
            values = np.array(words, dtype=float)
        except ValueError:
            values = np.full(count, np.nan)
        if not np.isfinite(values).all():
            raise ValueError(f'{self.place} is malformed: {key} is {" ".join(words)!r}, expected {count} numbers')
        return values

    def positive(self, key: str) -> float | None:
        """The number after a keyword, None where there is no such keyword.

        Raises:
            ValueError: It is no positive number.
        """
        if key not in self._entries:
            return None
        value = float(self.numbers(key, 1)[0])
        if value <= 0:
            raise ValueError(f'{self.place} is malformed: {key} must be positive, got {value:g}')
        return value

    def axis_order(self, key: str, position: int) -> str:
        """The order of axes at a position after a keyword, in lower case, e.g. ``'xyz'``; that where the root has none.

        Raises:
            ValueError: It is none.
        """
        if position == 0 and key not in self._entries:
            return 'xyz'
        order = self.words(key, position + 1)[position].lower()
        if sorted(order) != ['x', 'y', 'z']:
            raise ValueError(f'{self.place} is malformed: {key} has the order {order!r}, expected XYZ or another')
        return order

    def angle_is_radians(self) -> bool:
        """Whether ``angle`` says radians; degrees where it is not there.

        Raises:
            ValueError: It says something else.
        """
        unit = self.words('angle', 1)[0].lower() if 'angle' in self._entries else 'deg'
        if unit not in ('deg', 'degree', 'degrees', 'rad', 'radian', 'radians'):
            raise ValueError(f'{self.place}: angle is {unit!r}, expected deg or rad')
        return unit.startswith('rad')
