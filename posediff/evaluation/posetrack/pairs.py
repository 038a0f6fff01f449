"""Pairs of rows of two tables that belong to the same frame."""

from __future__ import annotations

import numpy as np


def pairs_within_frames(frame_a: np.ndarray, frame_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs of a row of A and a row of B in the same frame.

    Args:
        frame_a: (A,) integers, in any order.
        frame_b: (B,) integers in non-decreasing order.

    Returns:
        Rows of A and rows of B, both (P,); sorted by the row of A, then by the row of B.
    """
    first = np.searchsorted(frame_b, frame_a, side='left')
    return expand(first, np.searchsorted(frame_b, frame_a, side='right') - first)


def expand(first: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expand ranges.

    Args:
        first, counts: (A,), start and length of each range.

    Returns:
        Index of the range and member of the range, both (sum of ``counts``,).
    """
    owner = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - before[owner] + first[owner]
