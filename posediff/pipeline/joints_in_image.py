"""Which joints are made of keypoints that lie in the picture: the camera did not see the others."""

from __future__ import annotations

import numpy as np

from posediff.structures.skeleton_conversion import Conversion


def joints_in_image(keypoints: np.ndarray, conversion: Conversion, img_shape: tuple[int, int]) -> np.ndarray:
    """Say of every joint whether all keypoints that it is made of lie in the picture, its edge included.

    Args:
        keypoints: (..., K, 2) px, of the conversion's source; those that are not known are not in the picture.
        conversion: How the joints are made of them.
        img_shape: (h, w) px.

    Returns:
        (..., J) bool.
    """
    height, width = img_shape
    with np.errstate(invalid='ignore'):
        inside = np.asarray(((keypoints >= 0) & (keypoints <= [width, height])).all(-1))
    return np.asarray(~((conversion.weights != 0) & ~inside[..., None, :]).any(-1))
