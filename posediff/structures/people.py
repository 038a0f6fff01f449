"""People of a frame, as boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MARGIN = 0.1  # of the extent of keypoints, on every side of a box around them


@dataclass(frozen=True)
class People:
    """The people of one frame.

    Attributes:
        boxes: (N, 4) float32 px: left, top, right, bottom.
        scores: (N,) float32 in [0, 1].
        rois: (N, 4) float32 or None: centre x, y and side of a turned square around each, px, and its turn in radians,
            for estimators that want one.
    """

    boxes: np.ndarray
    scores: np.ndarray
    rois: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def nobody(cls) -> People:
        """An empty frame."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def boxes_around(keypoints: np.ndarray) -> np.ndarray:
    """(N, 4) boxes of keypoints (N, K, 2), a tenth larger on every side: px, left, top, right, bottom."""
    if not len(keypoints):
        return np.zeros((0, 4), np.float32)
    low, high = keypoints.min(1), keypoints.max(1)
    margin = np.maximum(MARGIN * (high - low), 1)
    return np.concatenate([low - margin, high + margin], -1)


def clip_boxes(boxes: np.ndarray, scores: np.ndarray, img_shape: tuple[int, int]) -> People:
    """Cut boxes (N, 4) at the image; what has no area there is nobody."""
    height, width = img_shape
    clipped = np.clip(
        np.asarray(boxes, np.float32).reshape(-1, 4), 0, np.array([width, height, width, height], np.float32)
    )
    kept = (clipped[:, 2:] > clipped[:, :2]).all(-1)
    return People(clipped[kept], np.asarray(scores, np.float32).reshape(-1)[kept])
