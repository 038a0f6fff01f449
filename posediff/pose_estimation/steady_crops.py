"""Crops of followed persons that stay in place while the persons move little."""

from __future__ import annotations

import numpy as np


def steady_crops(before: np.ndarray, wanted: np.ndarray, aspect: float, tolerance: float) -> np.ndarray:
    """Return the crops of the previous frame where they fit the persons still, and else the wanted ones.

    Consecutive frames with the same crop share the feature maps of their pictures. A crop fits if its centre differs
    from that of the wanted one by at most ``tolerance`` times its width and height, and its size by at most the factor
    ``1 + tolerance``. Sizes are compared after widening or heightening both boxes to the aspect ratio, as the crops
    are.

    Args:
        before: (N, 4) px: left, top, right, bottom; NaN for persons without a crop.
        wanted: (N, 4) px, the boxes around the persons now.
        aspect: Width of the crop divided by its height.
        tolerance: See above; at least 0.

    Returns:
        (N, 4) float32 px.
    """
    before, wanted = np.asarray(before, np.float64), np.asarray(wanted, np.float64)
    heights = [
        np.maximum(box[:, 3] - box[:, 1], (box[:, 2] - box[:, 0]) / aspect).clip(1e-3) for box in (before, wanted)
    ]
    moved = np.abs(before[:, :2] + before[:, 2:] - wanted[:, :2] - wanted[:, 2:]) / 2
    sides = heights[0][:, None] * [aspect, 1.0]
    fits = (moved <= tolerance * sides).all(-1) & (np.abs(np.log(heights[0] / heights[1])) <= np.log1p(tolerance))
    return np.where(fits[:, None], before, wanted).astype(np.float32)  # comparisons with NaN are false
