"""Determine which converted joints are inside the image."""

from __future__ import annotations

import numpy as np

from posediff.structures.skeleton_conversion import Conversion


def joints_in_image(keypoints: np.ndarray, conversion: Conversion, img_shape: tuple[int, int]) -> np.ndarray:
    """Return whether all keypoints that contribute to a joint are inside the image or on its edge.

    Args:
        keypoints: (..., K, 2) px, in the source skeleton of the conversion; NaN is outside.
        conversion: Conversion to the skeleton of the joints.
        img_shape: (h, w) px.

    Returns:
        (..., J) bool.
    """
    height, width = img_shape
    with np.errstate(invalid='ignore'):
        inside = np.asarray(((keypoints >= 0) & (keypoints <= [width, height])).all(-1))
    return np.asarray(~((conversion.weights != 0) & ~inside[..., None, :]).any(-1))
