"""Non-maximum suppression of 2D poses."""

from __future__ import annotations

import numpy as np

from posediff.geometry.similarity import object_keypoint_similarity
from posediff.structures.skeletons import Skeleton

SIDE_OVER_SPREAD = 15
"""Longer side of a person over the spread of a keypoint."""


def pose_nms(
    keypoints_2d: np.ndarray,
    keypoint_scores: np.ndarray,
    skeleton: Skeleton,
    min_score: float,
    similarity_threshold: float,
) -> np.ndarray:
    """Discard poses with a low score and duplicates of poses with a higher score.

    Poses are compared by object keypoint similarity over the keypoints that both have, with a spread of a 15th of the
    longer side of the better pose. (The shorter side depends on the view more than on the person.) For each joint with
    a left and a right, the nearer of the two counts: in side views detectors return the same person twice with some
    limbs swapped.

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
    """Return the similarity of a pose (K, 2) and a better one, the nearer of left and right counted for each joint."""
    sides = np.stack([np.arange(skeleton.num_joints), skeleton.flip_indices])
    distances = ((points[sides] - better) ** 2).sum(-1)
    distances[~detected[sides]] = np.inf
    nearer = sides[distances.argmin(0), np.arange(skeleton.num_joints)]
    # undetected keypoints of files are at (0, 0)
    size = float(np.ptp(better[better_detected], axis=0).max()) if better_detected.any() else 0.0
    spread = np.full((1, skeleton.num_joints), max(size / SIDE_OVER_SPREAD, 1.0))
    similarity, _ = object_keypoint_similarity(
        better[None], better_detected[None], points[nearer][None], detected[nearer][None], spread
    )
    return float(similarity[0, 0])
