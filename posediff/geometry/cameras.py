"""Cameras and projection.

Frames: world (right-handed, z up), camera (x right, y down, z forward), image (px, origin at the top left corner).
Lengths are in mm. Functions take numpy arrays or torch tensors and return the same type; a :class:`Camera` holds numpy
arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np


def project_points(points: Any, focal: Any, center: Any, distortion: Any = None) -> Any:
    """Project points from the camera frame to pixels.

    The distortion is Human3.6M's model with (k1, k2, p1, p2, k3): with r² = x² + y² of the undistorted point (x, y),
    ``(x, y) (1 + k1 r² + k2 r⁴ + k3 r⁶ + p1 y + p2 x) + (p2, p1) r²``. OpenCV has a factor 2 before p1 y + p2 x, which
    differs by less than 0.2 px for these cameras.

    Args:
        points: (..., 3) camera frame, any unit of length, z > 0.
        focal: (..., 2) or (2,) px, broadcast against ``points``.
        center: (..., 2) or (2,) px.
        distortion: None, or (..., 5).

    Returns:
        (..., 2) px.
    """
    normalized = points[..., :2] / points[..., 2:3]
    if distortion is not None:
        normalized = _distort(normalized, distortion)
    return normalized * focal + center


def _distort(normalized: Any, distortion: Any) -> Any:
    x, y = normalized[..., 0], normalized[..., 1]
    k1, k2, p1, p2, k3 = (distortion[..., index] for index in range(5))
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    stretched = normalized * (radial + p1 * y + p2 * x)[..., None]
    return stretched + r2[..., None] * distortion[..., [3, 2]]


def unproject_points(pixels: Any, focal: Any, center: Any, distortion: Any = None, iterations: int = 20) -> Any:
    """Return the directions (x/z, y/z) in the camera frame that project to ``pixels``.

    Args:
        pixels: (..., 2) px.
        focal, center, distortion: As for :func:`project_points`.
        iterations: Fixed-point iterations that invert the distortion; 20 reach 1e-6 px for distortions as weak as
            Human3.6M's.

    Returns:
        (..., 2).
    """
    distorted = (pixels - center) / focal
    if distortion is None:
        return distorted
    ideal = distorted
    for _ in range(iterations):
        ideal = ideal + distorted - _distort(ideal, distortion)
    return ideal


def quaternion_to_matrix(quaternion: np.ndarray) -> np.ndarray:
    """Normalise quaternions (..., 4), ordered (w, x, y, z), and return their rotation matrices (..., 3, 3)."""
    w, x, y, z = np.moveaxis(quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera with optional lens distortion: ``X_camera = R X_world + t``.

    Attributes:
        focal: (2,) focal lengths fx, fy, px.
        center: (2,) principal point cx, cy, px.
        img_shape: (h, w) px.
        R: (3, 3) rotation from world to camera.
        t: (3,) translation from world to camera, mm.
        distortion: None, or (5,) k1, k2, p1, p2, k3, see :func:`project_points`.
    """

    focal: np.ndarray
    center: np.ndarray
    img_shape: tuple[int, int]
    R: np.ndarray
    t: np.ndarray
    distortion: np.ndarray | None = None

    def __deepcopy__(self, memo: dict) -> Camera:
        # Cameras are immutable, and MMEngine deep-copies the metainfo of every sample.
        return self

    @property
    def position(self) -> np.ndarray:
        """Camera position (3,) in the world frame, mm."""
        return -self.R.T @ self.t

    def world_to_camera(self, points: np.ndarray) -> np.ndarray:
        """Transform points (..., 3) from the world frame to the camera frame, mm."""
        return points @ self.R.T + self.t

    def project(self, points_camera: np.ndarray) -> np.ndarray:
        """Project points (..., 3) in the camera frame, mm, to (..., 2) px."""
        return project_points(points_camera, self.focal, self.center, self.distortion)

    def mirrored(self) -> Camera:
        """Return the camera for the mirrored image of the mirrored world (x negated in both frames)."""
        mirror = np.array([-1.0, 1.0, 1.0], dtype=self.R.dtype)
        center = np.array([self.img_shape[1] - self.center[0], self.center[1]], dtype=self.center.dtype)
        distortion = self.distortion
        if distortion is not None:
            distortion = distortion * np.array([1, 1, 1, -1, 1], dtype=distortion.dtype)
        return replace(
            self, center=center, R=self.R * mirror[:, None] * mirror, t=self.t * mirror, distortion=distortion
        )
