"""Intrinsics of the camera of a video: calibrated, from a focal length, or default."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from posediff.geometry.calibration import CalibratedCamera
from posediff.geometry.cameras import Camera

DEFAULT_FOCAL = 1.0
"""Default focal length relative to the longer side of the image: an angle of view of 53°, between the main and the
portrait lens of a phone."""

MIN_FOCAL = 0.1
"""Minimum focal length relative to the longer side of the image: an angle of view of 157°, wider than any rectilinear
lens."""


@dataclass(frozen=True)
class Intrinsics:
    """The intrinsics of a camera and their source.

    Attributes:
        camera: Pinhole camera without lens distortion; R is the identity, t is 0.
        source: ``'calibrated'``, ``'given'`` (the focal length) or ``'assumed'`` (the default focal length).
        lens: The calibrated camera with its lens distortion; None: no distortion.
    """

    camera: Camera
    source: str
    lens: CalibratedCamera | None = None

    def undistort(self, keypoints: np.ndarray) -> np.ndarray:
        """Return keypoints (..., 2) px with the lens distortion removed."""
        return keypoints if self.lens is None else self.lens.undistort(keypoints)

    @classmethod
    def calibrated(cls, lens: CalibratedCamera) -> Intrinsics:
        """Return the intrinsics of a calibrated camera."""
        return cls(replace(lens.camera, R=np.eye(3), t=np.zeros(3)), 'calibrated', lens)

    @classmethod
    def from_focal(cls, img_shape: tuple[int, int], focal: float | None = None) -> Intrinsics:
        """Return intrinsics with the principal point at the image centre.

        Args:
            img_shape: (h, w) px.
            focal: Focal length, px; None: :data:`DEFAULT_FOCAL`.

        Raises:
            ValueError: The focal length is not positive, or less than :data:`MIN_FOCAL` times the longer side.
        """
        check_focal(focal)
        if focal is not None and focal < MIN_FOCAL * max(img_shape):
            angle = 2 * np.degrees(np.arctan(max(img_shape) / 2 / focal))
            raise ValueError(
                f'a focal length of {focal:g} px means an angle of view of {angle:.0f} degrees for an image of '
                f'{img_shape[1]}x{img_shape[0]} px; state it in px, not in mm or image widths'
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
    """Check that a focal length, if given, is positive and finite.

    Raises:
        ValueError: It is not.
    """
    if focal is not None and not (np.isfinite(focal) and focal > 0):
        raise ValueError(f'focal must be a positive length in px, got {focal}')
