"""Pairs of rows of two tables that belong to the same frame."""

from __future__ import annotations

import numpy as np


def pairs_within_frames(frame_a: np.ndarray, frame_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of a row of A and a row of B in one frame.

    Args:
        frame_a: (A,) integers, in any order.
        frame_b: (B,) integers that never fall.

    Returns:
        Rows of A and rows of B, both (P,); ordered by the row of A, then by that of B.
    """
    first = np.searchsorted(frame_b, frame_a, side='left')
    return expand(first, np.searchsorted(frame_b, frame_a, side='right') - first)


def expand(first: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write ranges out.

    Args:
        first, counts: (A,), where each range starts and how long it is.

    Returns:
        Number of the range, and member of the range, both (sum of ``counts``,).
    """
    owner = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - before[owner] + first[owner]
