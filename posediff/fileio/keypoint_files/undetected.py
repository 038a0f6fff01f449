"""Discard keypoints that were not detected: placeholder positions and single outliers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PLACEHOLDER = (-1.0, -1.0)
"""Position, px, of undetected keypoints from pose estimators without scores."""

FAR = 5.0
"""Distance from the image centre, in longer sides of the image, beyond which no model predicts a detected joint."""

CORNER = 1e-3
"""Keypoints nearer to the top left corner than this, px, count as (0, 0)."""


def without_corner(points: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the scores (K,), set to 0 for keypoints (K, 2) at (0, 0), where detectors put undetected keypoints."""
    return np.where((np.abs(points) < CORNER).all(-1), np.float32(0), scores)


def without_strays(
    file: str, points: Sequence[np.ndarray], scores: Sequence[np.ndarray], img_shape: tuple[int, int] | None
) -> tuple[list[np.ndarray], list[str]]:
    """Set scores to 0 for keypoints far outside of the image, if fewer than half of a pose are.

    Args:
        file: Name of the file, for the sentence.
        points: (K, 2) px of each pose.
        scores: (K,) of each pose.
        img_shape: (h, w) px; None: unknown, nothing is changed.

    Returns:
        The scores, and a list with a sentence for the user if any were changed.
    """
    if img_shape is None:
        return list(scores), []
    height, width = img_shape
    kept, count, example = [], 0, ''
    for pose, score in zip(points, scores, strict=True):
        off = np.abs(pose - [width / 2, height / 2]).max(-1) > FAR * max(img_shape)
        stray = (score > 0) & off
        if stray.sum() >= (score > 0).sum() / 2:  # poses of another video are reported as a whole
            stray[:] = False
        if stray.any() and not count:
            example = ', '.join(f'{value:.5g}' for value in pose[stray.argmax()])
        count += int(stray.sum())
        kept.append(np.where(stray, np.float32(0), score))
    note = f'{file}: {count} keypoints are more than {FAR:g} image sizes off ({example}, …): they count as not detected'
    return kept, [note] if count else []
