"""Agreement of a keypoint with the neighbouring frames."""

from __future__ import annotations

import numpy as np


def distances_to_neighbours(frames: np.ndarray, keypoints: np.ndarray, trusted: np.ndarray, reach: int) -> np.ndarray:
    """Return the distance of each keypoint to what the neighbouring frames predict for it.

    There are two predictions, and the smaller distance counts: the median of the neighbours, per coordinate, which one
    wrong neighbour does not disturb; and the linear interpolation between the nearest neighbours before and after,
    which fits fast motion. At the ends of a track there is only the median.

    Args:
        frames: (F,) indices of the frames, rising.
        keypoints: (F, K, 2) px.
        trusted: (F, K), whether a keypoint counts as a neighbour.
        reach: Greatest distance of a neighbour, frames.

    Returns:
        (F, K) px; infinite for keypoints with fewer than two trusted neighbours.
    """
    offsets = np.array([offset for offset in range(-reach, reach + 1) if offset])
    places = frames - frames[0] + reach
    by_frame = np.full((places[-1] + reach + 1, *keypoints.shape[1:]), np.nan)
    by_frame[places] = np.where(trusted[..., None], keypoints, np.nan)
    around = by_frame[places[None] + offsets[:, None]]  # (2 reach, F, K, 2)
    known = np.isfinite(around[..., 0])
    enough = known.sum(0) >= 2
    median = np.nanmedian(np.where(enough[..., None], around, 0), axis=0)
    distance = np.linalg.norm(keypoints - median, axis=-1)
    line = _interpolated(around, known, offsets)
    between = np.isfinite(line[..., 0])
    distance = np.where(between, np.fmin(distance, np.linalg.norm(keypoints - line, axis=-1)), distance)
    return np.where(enough, distance, np.inf)


def _interpolated(around: np.ndarray, known: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the points (F, K, 2) on the lines between the nearest neighbours; NaN without one on each side."""
    nearest, steps = [], []
    for sign in (-1, 1):
        order = sorted(np.flatnonzero(np.sign(offsets) == sign), key=lambda place: abs(offsets[place]))
        found = known[order].argmax(0)[None]  # without a neighbour the first one, which is NaN
        nearest.append(np.take_along_axis(around[order], found[..., None], axis=0)[0])
        steps.append(np.abs(offsets[order])[found[0]][..., None])
    (before, after), (back, ahead) = nearest, steps
    return (before * ahead + after * back) / (back + ahead)
