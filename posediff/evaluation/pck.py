"""Percentage of correct keypoints (PCK) in images.

A keypoint is correct if its distance from the annotation is below a fraction of a length of the person:

* ``box``: the longer side of the person's box, as ``norm_item='bbox'`` of MMPose's ``PCKAccuracy`` and
  ``JhmdbPCKAccuracy``;
* ``torso``: the distance between left shoulder and right hip, as ``norm_item='torso'`` of MMPose's
  ``JhmdbPCKAccuracy`` (joints 4 and 5 of JHMDB). Where both joints coincide, MMPose takes the length from the
  prediction; here the person does not count;
* ``head``: the distance between ``head_bottom`` and ``head_top``, the head segment of PCKh (Andriluka et al., CVPR
  2014). The tools of MPII and PoseTrack, and MMPose's ``MpiiPCKAccuracy``, approximate it by 0.6 times the diagonal of
  an annotated head box, which keypoints alone do not contain.

Shapes: P persons, K joints, L thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NORMALIZERS = ('box', 'torso', 'head')
SEGMENTS = {'torso': ('left_shoulder', 'right_hip'), 'head': ('head_bottom', 'head_top')}
"""The two joints whose distance is the length, by the name of the normaliser."""

SHORTEST_SEGMENT = 1.0
"""px; shorter segments are not used, as in MMPose's ``JhmdbPCKAccuracy``."""


def reference_lengths(
    normalizer: str, keypoints: np.ndarray, annotated: np.ndarray, boxes: np.ndarray, names: Sequence[str]
) -> np.ndarray:
    """Return the length that distances of each person are divided by.

    Args:
        normalizer: One of :data:`NORMALIZERS`.
        keypoints: (P, K, 2) px, annotations.
        annotated: (P, K), nonzero where annotated, inside the picture or not.
        boxes: (P, 4) px, (x1, y1, x2, y2).
        names: (K,) names of the joints.

    Returns:
        (P,) float64 px; 0 for persons without it, who do not count: one of the two joints is not annotated, or they are
        less than 1 px apart.

    Raises:
        ValueError: The normaliser is unknown, the skeleton lacks one of its joints, or a box is empty.
    """
    if normalizer == 'box':
        boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        sizes = boxes[:, 2:] - boxes[:, :2]
        if not (sizes > 0).all():
            raise ValueError(f'box {boxes[~(sizes > 0).all(-1)][0].tolist()} (x1, y1, x2, y2) has no area')
        return sizes.max(-1)
    require_segment(normalizer, names)
    first, second = (list(names).index(name) for name in SEGMENTS[normalizer])
    keypoints = np.asarray(keypoints, dtype=np.float64)
    known = (np.asarray(annotated)[:, first] != 0) & (np.asarray(annotated)[:, second] != 0)
    ends = np.where(known[:, None, None], keypoints[:, [first, second]], 0.0)
    lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1)
    return np.where(lengths >= SHORTEST_SEGMENT, lengths, 0.0)


def require_segment(normalizer: str, names: Sequence[str]) -> None:
    """Check that a skeleton has the joints of a normaliser.

    Args:
        normalizer: One of :data:`NORMALIZERS`.
        names: (K,) names of the joints.

    Raises:
        ValueError: The normaliser is unknown, or the skeleton lacks one of its joints.
    """
    if normalizer not in NORMALIZERS:
        raise ValueError(f'normalizer {normalizer!r} is none of {", ".join(NORMALIZERS)}')
    for name in SEGMENTS.get(normalizer, ()):
        if name not in names:
            raise ValueError(f'the {normalizer} normalizer needs {name}, which is none of {", ".join(names)}')


def inside_picture(keypoints: np.ndarray, image_shape: Sequence[int]) -> np.ndarray:
    """Return which keypoints lie in the picture, (…) bool: 0 <= x < w and 0 <= y < h.

    Args:
        keypoints: (…, 2) px, with 0 at the centre of the first pixel.
        image_shape: (h, w) px.
    """
    height, width = image_shape[:2]
    x, y = np.asarray(keypoints)[..., 0], np.asarray(keypoints)[..., 1]
    return (x >= 0) & (x < width) & (y >= 0) & (y < height)


def normalized_distances(predicted: np.ndarray, true: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the distances between predicted and annotated keypoints in units of a length per person, (P, K) float64.

    Args:
        predicted, true: (P, K, 2) px.
        lengths: (P,) px, positive.

    Raises:
        ValueError: Shapes do not match, or a length is not positive.
    """
    predicted, true = (np.asarray(keypoints, dtype=np.float64) for keypoints in (predicted, true))
    lengths = np.asarray(lengths, dtype=np.float64)
    if predicted.ndim != 3 or predicted.shape != true.shape or lengths.shape != predicted.shape[:1]:
        raise ValueError(
            f'keypoints {predicted.shape} and {true.shape} and lengths {lengths.shape} are not (P, K, 2) twice and (P,)'
        )
    if not (lengths > 0).all():
        raise ValueError(f'a length is {lengths[~(lengths > 0)][0]:g} px, which is not positive')
    return np.linalg.norm(predicted - true, axis=-1) / lengths[:, None]


def pck(distances: np.ndarray, counted: np.ndarray, thresholds: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Count correct keypoints.

    Args:
        distances: (P, K), see :func:`normalized_distances`; values of keypoints that do not count are ignored.
        counted: (P, K), nonzero where a keypoint counts.
        thresholds: L fractions of the length.

    Returns:
        hits (L, K) and totals (K,) int64. As in MMPose, a distance equal to the threshold is not a hit.

    Raises:
        ValueError: Shapes do not match.
    """
    distances, counted = np.asarray(distances), np.asarray(counted) != 0
    if distances.shape != counted.shape or distances.ndim != 2:
        raise ValueError(f'distances {distances.shape} and counted {counted.shape} are not both (P, K)')
    hits = [((distances < threshold) & counted).sum(0) for threshold in thresholds]
    return np.array(hits, dtype=np.int64).reshape(len(hits), distances.shape[1]), counted.sum(0)


def joint_percentages(hits: np.ndarray, totals: np.ndarray) -> list[float | None]:
    """Return the PCK of each joint in percent, (K,); None for joints without a counted keypoint.

    Args:
        hits, totals: (K,), see :func:`pck`.
    """
    return [100 * int(hit) / int(total) if total else None for hit, total in zip(hits, totals, strict=True)]


def mean_percentage(hits: np.ndarray, totals: np.ndarray) -> float | None:
    """Return the mean of the joints' PCK in percent, over joints with a counted keypoint; None if there is none.

    This is the ``PCK`` of MMPose's metrics: each joint has the same weight, however often it is annotated.

    Args:
        hits, totals: (K,), see :func:`pck`.
    """
    known = [percentage for percentage in joint_percentages(hits, totals) if percentage is not None]
    return float(np.mean(known)) if known else None


def pooled_percentage(hits: np.ndarray, totals: np.ndarray) -> float | None:
    """Return the percentage of correct ones among all counted keypoints of all joints; None if there is none.

    Args:
        hits, totals: (K,), see :func:`pck`.
    """
    return 100 * int(np.sum(hits)) / int(np.sum(totals)) if np.sum(totals) else None
