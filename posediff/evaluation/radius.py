"""The radius of the sphere that holds 90 % of the hypotheses of a joint."""

from __future__ import annotations

import numpy as np

SHARE = 0.9


def radius_90(hypotheses: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Return the radius around each joint that holds 90 % of its hypotheses.

    It is the 0.9 quantile of the distances between the joint and its M hypotheses, which are counted as the
    quantiles 1/(M + 1), …, M/(M + 1) (Weibull's plotting positions) with linear interpolation between them: a further
    hypothesis lies inside with probability 0.9. With fewer than 9 hypotheses, it is the largest distance.

    Args:
        hypotheses: (M, …, K, 3) mm.
        pose: (…, K, 3) mm, the estimate that is made of them.

    Returns:
        (…, K) mm; with one hypothesis that is the estimate itself, 0, like the standard deviation.
    """
    distances = np.linalg.norm(hypotheses - pose, axis=-1)
    radius: np.ndarray = np.quantile(distances, SHARE, axis=0, method='weibull').astype(pose.dtype)
    return radius
