"""How much the keypoints of a person tremble from frame to frame; no ground truth needed."""

from __future__ import annotations

import numpy as np


def acceleration(keypoints: np.ndarray) -> np.ndarray:
    """Norm of the second difference over time, ``k[t + 1] - 2 k[t] + k[t - 1]``.

    Args:
        keypoints: (T, K, D) of one person in consecutive frames, px or any other length.

    Returns:
        (T - 2, K) in that length per squared frame: 0 for uniform motion. For seconds, multiply by fps².

    Raises:
        ValueError: It is not of three axes.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.ndim != 3:
        raise ValueError(f'keypoints must be (T, K, D), got {keypoints.shape}')
    return np.linalg.norm(np.diff(keypoints, n=2, axis=0), axis=-1)


def jitter(keypoints: np.ndarray, sizes: np.ndarray | float, visible: np.ndarray | None = None) -> float:
    """Mean acceleration of a track, in units of the person.

    Where motion is smooth, what is left is what the estimator trembles by. It also falls when motion is smoothed away,
    so it says little without an accuracy beside it.

    Args:
        keypoints: (T, K, D) px of one person in consecutive frames.
        sizes: (T,) or one number, px: what lengths are measured by in each frame. PoseTrack's size of the head is 0.6
            times the diagonal of the head box; without head boxes, the diagonal of the person's box will do.
        visible: (T, K), nonzero where a keypoint counts; None counts all that are finite.

    Returns:
        Mean over keypoints and frames of the acceleration divided by the size in the middle frame. An acceleration
        counts if the keypoint does in all three frames. NaN where none counts.

    Raises:
        ValueError: Shapes do not fit, or a size that is needed is not above 0.
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
        raise ValueError('a size is not above 0')
    if not needed.any():
        return float('nan')
    relative = accelerations[needed] / middle[needed][:, None]
    return float(relative[counts[needed]].mean())
