"""Ranges of marked frames, found block by block."""

from __future__ import annotations

import numpy as np


class FrameRanges:
    """Collects the ranges of marked frames of a motion that is read in blocks.

    Attributes:
        found: First and last frame (inclusive, from 0) of every run of marked frames.
    """

    def __init__(self) -> None:
        self.found: list[list[int]] = []
        self._next = 0

    def add(self, marked: np.ndarray) -> None:
        """Add the next frames, (n,) bool."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(int))) + self._next
        ranges = [[int(first), int(last) - 1] for first, last in edges.reshape(-1, 2)]
        if ranges and self.found and ranges[0][0] == self.found[-1][1] + 1:
            self.found[-1][1] = ranges.pop(0)[1]
        self.found += ranges
        self._next += len(marked)
