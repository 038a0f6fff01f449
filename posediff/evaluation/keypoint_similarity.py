"""Object keypoint similarity (OKS) of COCO."""

from __future__ import annotations

import numpy as np

AREA_SHARE = 0.53
"""Share of a box that a person covers, for annotations without a mask, as in MMPose's ``JhmdbDataset``."""


def box_areas(boxes: np.ndarray) -> np.ndarray:
    """Return 0.53 times the area of boxes in px², at least 1, as MMPose does without masks; (P,).

    Args:
        boxes: (P, 4) px, (x1, y1, x2, y2).
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.maximum(AREA_SHARE * (boxes[:, 2:] - boxes[:, :2]).prod(-1), 1.0)


def keypoint_similarity(
    predicted: np.ndarray, true: np.ndarray, counted: np.ndarray, areas: np.ndarray, sigmas: np.ndarray
) -> np.ndarray:
    """Return the mean over counted keypoints of exp(-d² / (2 a (2 σ)²)), as COCO's evaluation; (P,) in 0 … 1.

    Args:
        predicted, true: (P, K, 2) px.
        counted: (P, K), nonzero where a keypoint counts.
        areas: (P,) px², the area a of each person.
        sigmas: (K,) spread among annotators σ, as a fraction of the square root of the area.

    Raises:
        ValueError: A person has no counted keypoint.
    """
    counted = np.asarray(counted) != 0
    number = counted.sum(-1)
    if not number.all():
        raise ValueError(f'person {int(np.argmin(number))} has no counted keypoint')
    squares = ((np.asarray(predicted, np.float64) - np.asarray(true, np.float64)) ** 2).sum(-1)
    variances = (2 * np.asarray(sigmas, np.float64)) ** 2
    similar = np.exp(-squares / (2 * np.asarray(areas, np.float64)[:, None] * variances))
    return np.where(counted, similar, 0.0).sum(-1) / number
