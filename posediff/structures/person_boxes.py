"""Bounding boxes of the persons in a frame, the output of detectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MARGIN = 0.1  # box margin per side, relative to the extent of the keypoints


@dataclass(frozen=True)
class PersonBoxes:
    """The person boxes of one frame.

    Attributes:
        boxes: (N, 4) float32 px: left, top, right, bottom.
        scores: (N,) float32 in [0, 1].
        rois: (N, 4) float32 or None: a rotated square around each person as centre x, centre y, side (px) and rotation
            (rad), for pose estimators that use one.
        close: (N, 4) float32 px or None: boxes around the persons' joints where they are known from the previous frame,
            NaN for other persons; for pose estimators that search the joints for a closer crop.
    """

    boxes: np.ndarray
    scores: np.ndarray
    rois: np.ndarray | None = None
    close: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> PersonBoxes:
        """Return the record of a frame without persons."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def boxes_around(keypoints: np.ndarray) -> np.ndarray:
    """Return boxes (N, 4) around keypoints (N, K, 2), 10 % larger on every side: left, top, right, bottom, px."""
    if not len(keypoints):
        return np.zeros((0, 4), np.float32)
    low, high = keypoints.min(1), keypoints.max(1)
    margin = np.maximum(MARGIN * (high - low), 1)
    return np.concatenate([low - margin, high + margin], -1)


def clip_boxes(boxes: np.ndarray, scores: np.ndarray, img_shape: tuple[int, int]) -> PersonBoxes:
    """Clip boxes (N, 4) to the image and drop those without area inside it."""
    height, width = img_shape
    clipped = np.clip(
        np.asarray(boxes, np.float32).reshape(-1, 4), 0, np.array([width, height, width, height], np.float32)
    )
    kept = (clipped[:, 2:] > clipped[:, :2]).all(-1)
    return PersonBoxes(clipped[kept], np.asarray(scores, np.float32).reshape(-1)[kept])
