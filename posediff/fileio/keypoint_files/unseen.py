"""Keypoints that a file has and that were not seen: places that stand for nothing, and single strays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NOWHERE = (-1.0, -1.0)
"""px, outside of every picture: where estimators that say no scores leave a keypoint that they did not find."""

FAR = 5.0
"""Longer sides of the picture, from its middle, beyond which a model places no joint that it makes out."""

CORNER = 1e-3
"""A keypoint nearer to the top left corner, px, is (0, 0) but for rounding."""


def without_corner(points: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Scores, 0 where a keypoint is exactly at (0, 0): detectors that did not find one leave it there."""
    return np.where((np.abs(points) < CORNER).all(-1), np.float32(0), scores)


def without_strays(
    file: str, points: Sequence[np.ndarray], scores: Sequence[np.ndarray], img_shape: tuple[int, int] | None
) -> tuple[list[np.ndarray], list[str]]:
    """Scores, 0 for the few keypoints of a pose that are far from the picture, and a sentence if there are any."""
    if img_shape is None:
        return list(scores), []
    height, width = img_shape
    kept, count, example = [], 0, ''
    for pose, score in zip(points, scores, strict=True):
        off = np.abs(pose - [width / 2, height / 2]).max(-1) > FAR * max(img_shape)
        stray = (score > 0) & off
        if stray.sum() >= (score > 0).sum() / 2:  # a pose of another picture is told as a whole
            stray[:] = False
        if stray.any() and not count:
            example = ', '.join(f'{value:.5g}' for value in pose[stray.argmax()])
        count += int(stray.sum())
        kept.append(np.where(stray, np.float32(0), score))
    said = f'{file}: {count} keypoints are more than {FAR:g} pictures away ({example}, …): they count as not seen'
    return kept, [said] if count else []
