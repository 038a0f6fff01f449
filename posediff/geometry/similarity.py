"""Similarity of boxes and of poses, from 0 to 1."""

from __future__ import annotations

import numpy as np


def box_iou(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """Return the intersection over union of boxes.

    Args:
        boxes_a: (A, 4) px, left, top, right, bottom.
        boxes_b: (B, 4) px.

    Returns:
        (A, B) in [0, 1]; 0 if both boxes have no area.
    """
    a, b = boxes_a[:, None], boxes_b[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    intersection = np.maximum(sides, 0).prod(-1)
    area_a, area_b = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1) for boxes in (boxes_a, boxes_b))
    union = area_a[:, None] + area_b - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)


def box_sizes(boxes: np.ndarray) -> np.ndarray:
    """Return the square root of the area of boxes (N, 4), px: (N,)."""
    return np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1))


def object_keypoint_similarity(
    keypoints_a: np.ndarray, seen_a: np.ndarray, keypoints_b: np.ndarray, seen_b: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return COCO's object keypoint similarity: the mean of exp(-d² / (2 spread²)) over keypoints visible in both.

    COCO's spread is the square root of the object's area times two sigma of the keypoint
    (https://cocodataset.org/#keypoints-eval).

    Args:
        keypoints_a: (A, K, 2) px, finite.
        seen_a: (A, K) bool.
        keypoints_b: (B, K, 2) px, finite.
        seen_b: (B, K) bool.
        spread: (A, K) px, above 0; or (A, B, K), if it depends on both.

    Returns:
        Similarity (A, B) in [0, 1], 0 for pairs without a common keypoint, and the number of common keypoints (A, B).
    """
    both = seen_a[:, None] & seen_b[None]
    squared = ((keypoints_a[:, None] - keypoints_b[None]) ** 2).sum(-1)
    spread = spread[:, None] if spread.ndim == 2 else spread
    alike = np.exp(-squared / (2 * spread**2)) * both
    num_both = both.sum(-1)
    return alike.sum(-1) / np.maximum(num_both, 1), num_both
