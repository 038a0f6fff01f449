"""Tokenizer of Acclaim files: sections of lines, and the values after a keyword."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posediff.fileio.input_files import read_text

_SPACE = str.maketrans(',;()[]{}', ' ' * 8)


def lines_of_words(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number (from 1) and words of non-empty lines, without comments; commas and brackets are white space."""
    for number, line in enumerate(read_text(path, 'latin-1').translate(_SPACE).splitlines(), start=1):
        words = line.split('#', 1)[0].split()
        if words:
            yield number, words


def read_lines(path: Path) -> dict[str, list[list[str]]]:
    """Return the lines of an ASF file as words, grouped by the lower-case ``:keyword`` of their section."""
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
    """Reads values from lines that begin with a keyword; errors name the block.

    Args:
        place: Name of the block in errors.
        lines: Words of each line.
    """

    def __init__(self, place: str, lines: list[list[str]]) -> None:
        self.place = place
        self._entries = {words[0].lower(): words[1:] for words in lines}

    def words(self, key: str, least: int = 0, required: bool = True) -> list[str]:
        """Return the words after a keyword.

        Raises:
            ValueError: There are fewer than ``least`` words, or a required keyword is missing.
        """
        if key not in self._entries and required:
            raise ValueError(f'{self.place} is incomplete: it has no {key}')
        found = self._entries.get(key, [])
        if len(found) < least:
            raise ValueError(f'{self.place} is incomplete: {key} has {len(found)} values, expected {least}')
        return found

    def numbers(self, key: str, count: int, default: float | None = None) -> np.ndarray:
        """Return the first ``count`` numbers after a keyword, (count,); ``default`` for each if it is missing.

        Raises:
            ValueError: There are fewer numbers, or one is not finite.
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
        """Return the number after a keyword, or None if the keyword is missing.

        Raises:
            ValueError: The number is not positive.
        """
        if key not in self._entries:
            return None
        value = float(self.numbers(key, 1)[0])
        if value <= 0:
            raise ValueError(f'{self.place} is malformed: {key} must be positive, got {value:g}')
        return value

    def axis_order(self, key: str, position: int) -> str:
        """Return the axis order at a position after a keyword, in lower case; ``'xyz'`` if the keyword is missing.

        Raises:
            ValueError: The value is not an axis order.
        """
        if position == 0 and key not in self._entries:
            return 'xyz'
        order = self.words(key, position + 1)[position].lower()
        if sorted(order) != ['x', 'y', 'z']:
            raise ValueError(f'{self.place} is malformed: {key} has the order {order!r}, expected XYZ or another')
        return order

    def angle_is_radians(self) -> bool:
        """Return whether ``angle`` is in radians; False if the keyword is missing.

        Raises:
            ValueError: The unit is neither deg nor rad.
        """
        unit = self.words('angle', 1)[0].lower() if 'angle' in self._entries else 'deg'
        if unit not in ('deg', 'degree', 'degrees', 'rad', 'radian', 'radians'):
            raise ValueError(f'{self.place}: angle is {unit!r}, expected deg or rad')
        return unit.startswith('rad')
