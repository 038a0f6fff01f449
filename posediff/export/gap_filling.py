"""Linear interpolation of unknown points, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from posediff.export.motion import frame_blocks


def interpolated(values: np.ndarray, points: Sequence[int]) -> Iterator[np.ndarray]:
    """Yield blocks of a series, with its unknown points interpolated linearly over the frames.

    Before the first and after the last known value of a point, that value is repeated. The result equals
    :func:`numpy.interp` over the whole series, with memory for one block.

    Args:
        values: (F, K, D), NaN where unknown. A memory map is read block by block.
        points: Indices of the P points wanted; each of them is known in at least one frame.

    Yields:
        (n, P, D) for each of :func:`~posediff.export.motion.frame_blocks`.
    """
    blocks = list(frame_blocks(len(values)))
    after_at = np.full((len(blocks) + 1, len(points)), -1)  # first known frame from the block on; -1: none
    after = np.zeros((*after_at.shape, values.shape[2]))
    for number, frames in reversed(list(enumerate(blocks))):
        after_at[number], after[number] = after_at[number + 1], after[number + 1]
        _take(values[frames][:, points], frames.start, 0, after_at[number], after[number])
    before_at, before = after_at[-1].copy(), after[-1].copy()
    for number, frames in enumerate(blocks):
        part = values[frames][:, points]
        known = np.isfinite(part).all(-1)
        filled = part.copy()
        for point in np.flatnonzero(~known.all(0)).tolist():
            at = np.r_[before_at[point], frames.start + np.flatnonzero(known[:, point]), after_at[number + 1, point]]
            there = np.concatenate([before[point, None], part[known[:, point], point], after[number + 1, point, None]])
            for axis in range(part.shape[2]):
                filled[:, point, axis] = np.interp(
                    np.arange(frames.start, frames.stop), at[at >= 0], there[at >= 0, axis]
                )
        yield filled
        _take(part, frames.start, -1, before_at, before)


def _take(part: np.ndarray, start: int, which: int, at: np.ndarray, there: np.ndarray) -> None:
    """Set frames ``at`` (P,) and values ``there`` (P, D) to the first (0) or last (-1) known ones of a block."""
    known = np.isfinite(part).all(-1)
    for point in np.flatnonzero(known.any(0)).tolist():
        row = int(np.flatnonzero(known[:, point])[which])
        at[point], there[point] = start + row, part[row, point]
