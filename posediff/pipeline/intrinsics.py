"""Intrinsics of an uncalibrated camera, and the positions of people that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from posediff.geometry.calibration import CalibratedCamera
from posediff.geometry.cameras import Camera

DEFAULT_FOCAL = 1.0
"""Focal length in units of the image's longer side: 53° across it, between a phone's main and its portrait lens."""


MIN_FOCAL = 0.1
"""In units of the image's longer side: 157° across it, wider than any lens without a fisheye's distortion."""


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera and how it came to be known.

    Attributes:
        camera: In its own frame: R is the identity, t is 0; without lens distortion.
        source: ``'calibrated'``, ``'given'`` (the focal length) or ``'assumed'``.
        lens: What takes the distortion out of keypoints, if it is known.
    """

    camera: Camera
    source: str
    lens: CalibratedCamera | None = None

    def undistort(self, keypoints: np.ndarray) -> np.ndarray:
        """Keypoints (..., 2) px as a camera without lens distortion would see them."""
        return keypoints if self.lens is None else self.lens.undistort(keypoints)

    @classmethod
    def calibrated(cls, lens: CalibratedCamera) -> Intrinsics:
        """From a calibration."""
        return cls(replace(lens.camera, R=np.eye(3), t=np.zeros(3)), 'calibrated', lens)

    @classmethod
    def from_focal(cls, img_shape: tuple[int, int], focal: float | None = None) -> Intrinsics:
        """From a focal length in px, or the assumed one, with the principal point in the middle.

        Raises:
            ValueError: The focal length is not positive, or so short that it must be in another unit.
        """
        check_focal(focal)
        if focal is not None and focal < MIN_FOCAL * max(img_shape):
            angle = 2 * np.degrees(np.arctan(max(img_shape) / 2 / focal))
            raise ValueError(
                f'a focal length of {focal:g} px sees {angle:.0f} degrees of a picture of {img_shape[1]}x{img_shape[0]}'
                ' px: it is wanted in px, not in mm or in widths of the picture'
            )
        height, width = img_shape
        length = DEFAULT_FOCAL * max(img_shape) if focal is None else focal
        camera = Camera(
            focal=np.array([length, length]),
            center=np.array([width / 2, height / 2]),
            img_shape=img_shape,
            R=np.eye(3),
            t=np.zeros(3),
        )
        return cls(camera, 'assumed' if focal is None else 'given')


def check_focal(focal: float | None) -> None:
    """Require a positive focal length in px, or None for the default.

    Raises:
        ValueError: It is neither.
    """
    if focal is not None and not (np.isfinite(focal) and focal > 0):
        raise ValueError(f'focal must be a positive length in px, got {focal}')
