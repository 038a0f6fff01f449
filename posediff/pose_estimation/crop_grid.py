"""A grid of crops, on which a person has the same crop in several consecutive frames."""

from __future__ import annotations

import numpy as np


def on_grid(boxes: np.ndarray, aspect: float, step: float | None) -> np.ndarray:
    """Return the nearest boxes of a grid that have the aspect ratio of the crop.

    A box is first widened or heightened to the aspect ratio, as the crop is. Then its height becomes the nearest power
    of ``1 + step``, and its centre the nearest multiple of ``step`` times its width and height: the result depends on
    the box only, and differs from it by at most half a step.

    Args:
        boxes: (N, 4) px: left, top, right, bottom.
        aspect: Width of the crop divided by its height.
        step: Step of the grid relative to the size of the box; None: return the boxes as they are.

    Returns:
        (N, 4) float32 px.
    """
    if step is None:
        return np.asarray(boxes, np.float32)
    exact = np.asarray(boxes, np.float64)
    sides = np.maximum(exact[:, 2:] - exact[:, :2], 1e-3)
    height = np.maximum(sides[:, 1], sides[:, 0] / aspect)
    factor = np.log1p(step)
    height = np.exp(np.round(np.log(height) / factor) * factor)
    sides = np.stack([height * aspect, height], axis=-1)
    centres = np.round((exact[:, :2] + exact[:, 2:]) / 2 / (step * sides)) * (step * sides)
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=1).astype(np.float32)
