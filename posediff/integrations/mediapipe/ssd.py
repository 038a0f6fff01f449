"""From the person detector's raw outputs to detections: anchors, decoding, weighted non-maximum suppression."""

from __future__ import annotations

import numpy as np

STRIDES = (8, 16, 32, 32, 32)
ANCHORS_PER_CELL_AND_LAYER = 2  # one of aspect ratio 1, one of the scale between this layer's and the next


def anchor_centers(input_size: int) -> np.ndarray:
    """Centres (x, y) of the detector's anchors, as fractions of its input.

    Anchors have unit size, whatever their layer, so a centre is all there is to one. Layers of one stride share a grid:
    cell after cell, row by row, all their anchors. 224 px give 2254 anchors.

    Returns:
        (A, 2) float64.
    """
    centers = []
    for stride in dict.fromkeys(STRIDES):
        cells = -(-input_size // stride)
        y, x = np.mgrid[:cells, :cells].reshape(2, -1)
        grid = (np.column_stack([x, y]) + 0.5) / cells
        centers.append(np.repeat(grid, ANCHORS_PER_CELL_AND_LAYER * STRIDES.count(stride), axis=0))
    return np.concatenate(centers)


def decode_boxes(raw: np.ndarray, centers: np.ndarray, input_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and keypoints of raw predictions, as fractions of the detector's input.

    Args:
        raw: (A, 4 + 2 P): x, y, width, height, then P points x, y, all in px, positions relative to the anchor.
        centers: (A, 2) from :func:`anchor_centers`.
        input_size: Side of the input in px.

    Returns:
        Boxes (A, 4) xyxy and points (A, P, 2).
    """
    values = raw.reshape(len(raw), raw.shape[1] // 2, 2) / input_size
    middle, half = values[:, 0] + centers, values[:, 1] / 2
    return np.concatenate([middle - half, middle + half], axis=1), values[:, 2:] + centers[:, None]


def weighted_nms(
    boxes: np.ndarray, scores: np.ndarray, points: np.ndarray, iou_threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge overlapping detections into their mean, weighted by score.

    The best detection left takes along all whose box has an intersection over union with its own above the threshold;
    what comes out has its score and everyone's mean box and points. Then the next best.

    Args:
        boxes: (A, 4) xyxy.
        scores: (A,) positive.
        points: (A, P, 2).
        iou_threshold: In [0, 1].

    Returns:
        Boxes (N, 4), scores (N,), falling, and points (N, P, 2).
    """
    order = np.argsort(-scores, kind='stable')
    merged = []
    while len(order):
        best = order[0]
        same = intersection_over_union(boxes[best], boxes[order]) > iou_threshold
        same[0] = True
        group = order[same]
        merged.append((np.average(boxes[group], 0, scores[group]), np.average(points[group], 0, scores[group]), best))
        order = order[~same]
    kept = [best for *_, best in merged]
    return (
        np.array([box for box, *_ in merged]).reshape(-1, 4),
        scores[kept],
        np.array([mean for _, mean, _ in merged]).reshape(-1, *points.shape[1:]),
    )


def intersection_over_union(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Of one box (4,) with each of (A, 4), xyxy; 0 where both have no area. Returns (A,)."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = sides.clip(min=0).prod(axis=1)
    total = (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - shared
    return np.divide(shared, total, out=np.zeros_like(shared), where=total > 0)
