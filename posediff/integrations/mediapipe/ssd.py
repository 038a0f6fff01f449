"""Post-processing of the person detector: anchors, decoding, weighted non-maximum suppression."""

from __future__ import annotations

import numpy as np

from posediff.geometry.similarity import box_iou

STRIDES = (8, 16, 32, 32, 32)
ANCHORS_PER_CELL_AND_LAYER = 2  # one of aspect ratio 1, one with the scale between this layer and the next


def anchor_centers(input_size: int) -> np.ndarray:
    """Return the centres (x, y) of the detector's anchors, relative to its input.

    All anchors have unit size, so the centre defines an anchor. Layers with the same stride share a grid; anchors are
    ordered by cell, row by row. An input of 224 px has 2254 anchors.

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
    """Decode raw predictions to boxes and keypoints, relative to the detector's input.

    Args:
        raw: (A, 4 + 2 P): x, y, width, height, then P points x, y, all in px, positions relative to the anchor.
        centers: (A, 2) from :func:`anchor_centers`.
        input_size: Side of the input, px.

    Returns:
        Boxes (A, 4) xyxy and points (A, P, 2).
    """
    values = raw.reshape(len(raw), raw.shape[1] // 2, 2) / input_size
    middle, half = values[:, 0] + centers, values[:, 1] / 2
    return np.concatenate([middle - half, middle + half], axis=1), values[:, 2:] + centers[:, None]


def weighted_nms(
    boxes: np.ndarray, scores: np.ndarray, points: np.ndarray, iou_threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge overlapping detections into their score-weighted mean.

    The best remaining detection is merged with all whose box has an IoU with its own above the threshold. The result
    has the best score, and the mean box and points of the group. This is repeated until no detection remains.

    Args:
        boxes: (A, 4) xyxy.
        scores: (A,) positive.
        points: (A, P, 2).
        iou_threshold: In [0, 1].

    Returns:
        Boxes (N, 4), scores (N,), descending, and points (N, P, 2).
    """
    order = np.argsort(-scores, kind='stable')
    merged = []
    while len(order):
        best = order[0]
        same = box_iou(boxes[best][None], boxes[order])[0] > iou_threshold
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
