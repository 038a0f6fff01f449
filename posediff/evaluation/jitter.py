"""Jitter of keypoints over time; no ground truth needed."""

from __future__ import annotations

import numpy as np


def acceleration(keypoints: np.ndarray) -> np.ndarray:
    """Return the norm of the second difference over time, ``k[t + 1] - 2 k[t] + k[t - 1]``.

    Args:
        keypoints: (T, K, D) of one person in consecutive frames, in px or any other unit of length.

    Returns:
        (T - 2, K) in that unit per squared frame; 0 for uniform motion. Multiply by fps² for seconds.

    Raises:
        ValueError: ``keypoints`` does not have three dimensions.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.ndim != 3:
        raise ValueError(f'keypoints must be (T, K, D), got {keypoints.shape}')
    return np.linalg.norm(np.diff(keypoints, n=2, axis=0), axis=-1)


def relative_accelerations(
    keypoints: np.ndarray, sizes: np.ndarray | float, visible: np.ndarray | None = None
) -> np.ndarray:
    """Return the valid accelerations of a track, each divided by the size of the person in the middle frame.

    Args:
        keypoints, sizes, visible: See :func:`jitter`.

    Returns:
        (V,): one value per valid keypoint and frame; empty if none is valid.

    Raises:
        ValueError: Shapes do not match, or a required size is not positive.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    accelerations = acceleration(keypoints)
    counts = np.isfinite(keypoints).all(-1)
    if visible is not None:
        if np.shape(visible) != counts.shape:
            raise ValueError(f'visible {np.shape(visible)} does not fit keypoints {keypoints.shape}')
        counts &= np.asarray(visible) != 0
    counts = counts[2:] & counts[1:-1] & counts[:-2]
    middle = np.broadcast_to(np.asarray(sizes, dtype=np.float64), len(keypoints))[1:-1]
    needed = counts.any(-1)
    if not (middle[needed] > 0).all():
        raise ValueError('a size is not positive')
    relative = accelerations[needed] / middle[needed][:, None]
    return relative[counts[needed]]


def jitter(keypoints: np.ndarray, sizes: np.ndarray | float, visible: np.ndarray | None = None) -> float:
    """Return the mean acceleration of a track, normalised by the size of the person.

    For smooth motion this is the noise of the estimator. Smoothing lowers it as well, so report it together with an
    accuracy.

    Args:
        keypoints: (T, K, D) px of one person in consecutive frames.
        sizes: (T,) px or a scalar, the reference length in each frame. PoseTrack's head size is 0.6 times the diagonal
            of the head box; without head boxes use the diagonal of the person's box.
        visible: (T, K), nonzero for valid keypoints; None uses all finite keypoints.

    Returns:
        Mean over keypoints and frames of the acceleration divided by the size in the middle frame. An acceleration is
        valid if its keypoint is valid in all three frames. NaN if none is valid.

    Raises:
        ValueError: Shapes do not match, or a required size is not positive.
    """
    relative = relative_accelerations(keypoints, sizes, visible)
    return float(relative.mean()) if len(relative) else float('nan')
