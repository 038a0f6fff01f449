"""Non-maximum suppression of 2D poses."""

from __future__ import annotations

import numpy as np

from posediff.geometry.similarity import object_keypoint_similarity
from posediff.structures.skeletons import Skeleton

SIDE_OVER_SPREAD = 15
"""Longer side of the bounding box of a pose's keypoints, divided by the spread of a keypoint."""


def pose_nms(
    keypoints_2d: np.ndarray,
    keypoint_scores: np.ndarray,
    skeleton: Skeleton,
    min_score: float,
    similarity_threshold: float,
) -> np.ndarray:
    """Discard poses with a low score and duplicates of poses with a higher score.

    Poses are compared by object keypoint similarity over the keypoints that both have, with a spread of 1/15 of the
    longer side of the better pose; the shorter side would depend more on the view than on the person. Each keypoint of
    the better pose is compared with the nearer of the other pose's keypoint and its left-right counterpart: in side
    views, detectors return the same person twice with some limbs swapped.

    Args:
        keypoints_2d: (N, K, 2) px.
        keypoint_scores: (N, K); 0 for undetected keypoints.
        skeleton: Skeleton of the keypoints.
        min_score: Poses with a lower mean keypoint score are discarded.
        similarity_threshold: Poses with a larger similarity to a better pose are discarded.

    Returns:
        Indices of the kept poses, ascending.
    """
    means = keypoint_scores.mean(-1) if len(keypoints_2d) else np.zeros(0)
    kept: list[int] = []

    def similarity(row: int, better: int) -> float:
        return _similarity(
            keypoints_2d[row], keypoint_scores[row] > 0, keypoints_2d[better], keypoint_scores[better] > 0, skeleton
        )

    for row in np.argsort(-means, kind='stable').tolist():
        if means[row] >= min_score and all(similarity(row, better) <= similarity_threshold for better in kept):
            kept.append(row)
    return np.array(sorted(kept), dtype=int)


def _similarity(
    points: np.ndarray, detected: np.ndarray, better: np.ndarray, better_detected: np.ndarray, skeleton: Skeleton
) -> float:
    """Return the object keypoint similarity of a pose (K, 2) and a better pose, as :func:`pose_nms` defines it."""
    sides = np.stack([np.arange(skeleton.num_joints), skeleton.flip_indices])
    distances = ((points[sides] - better) ** 2).sum(-1)
    distances[~detected[sides]] = np.inf
    nearer = sides[distances.argmin(0), np.arange(skeleton.num_joints)]
    # detected keypoints only: undetected ones from keypoint files are at (0, 0)
    size = float(np.ptp(better[better_detected], axis=0).max()) if better_detected.any() else 0.0
    spread = np.full((1, skeleton.num_joints), max(size / SIDE_OVER_SPREAD, 1.0))
    similarity, _ = object_keypoint_similarity(
        better[None], better_detected[None], points[nearer][None], detected[nearer][None], spread
    )
    return float(similarity[0, 0])
