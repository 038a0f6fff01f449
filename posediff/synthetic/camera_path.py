"""Camera path of a clip: static, panning, tilting, zooming, translating and shaking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from posediff.geometry.cameras import Camera

# Camera axes (x right, y down, z forward) of a camera that looks along the world's +y, z being up.
LOOKING_ALONG_Y = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])


@dataclass(frozen=True)
class CameraPath:
    """Camera over time, oriented roughly along the world's +y.

    Attributes:
        img_shape: (h, w) px.
        position, velocity: (3,) mm at time 0, and mm/s.
        angles, rates: (3,) yaw to the right, pitch upwards, roll; radians at time 0, and radians/s.
        focal: Focal length at time 0, px.
        zoom: Relative growth of the focal length per second.
        shake: Amplitude of the shake, radians.
        shake_rate, shake_phase: (3, 3) waves of each angle; radians/s, radians.
    """

    img_shape: tuple[int, int]
    position: np.ndarray
    velocity: np.ndarray
    angles: np.ndarray
    rates: np.ndarray
    focal: float
    zoom: float
    shake: float
    shake_rate: np.ndarray
    shake_phase: np.ndarray

    def at(self, time: float) -> Camera:
        """Return the camera at a time in seconds; pixel centres are at integer coordinates."""
        tremble = np.sin(self.shake_rate * time + self.shake_phase).sum(1) * self.shake * np.array([1.0, 1.0, 0.5])
        yaw, pitch, roll = self.angles + self.rates * time + tremble
        rotation = Rotation.from_euler('yxz', [-yaw, -pitch, roll]).as_matrix() @ LOOKING_ALONG_Y
        height, width = self.img_shape
        focal = self.focal * float(np.exp(self.zoom * time))
        return Camera(
            focal=np.array([focal, focal]),
            center=np.array([(width - 1) / 2, (height - 1) / 2]),
            img_shape=self.img_shape,
            R=rotation,
            t=-rotation @ (self.position + self.velocity * time),
        )


def draw_camera_path(
    rng: np.random.Generator, img_shape: tuple[int, int], focal: float, height: float, pitch: float
) -> CameraPath:
    """Sample a camera path: static, panning, zooming, translating, or a combination.

    Args:
        rng: Random generator.
        img_shape: (h, w) px.
        focal: Focal length, px.
        height: Height of the camera above the ground, mm.
        pitch: Upward pitch, radians.
    """
    pans, zooms, glides, held = rng.random(4) < (0.45, 0.3, 0.35, 0.6)
    turning = rng.normal(0, (0.16, 0.05, 0.02)) * pans
    gliding = rng.normal(0, (350, 350, 60)) * glides
    return CameraPath(
        img_shape=img_shape,
        position=np.array([0.0, 0.0, height]),
        velocity=gliding,
        angles=np.array([0.0, pitch, rng.normal(0, 0.03)]),
        rates=turning,
        focal=focal,
        zoom=float(rng.normal(0, 0.15) * zooms),
        shake=float(rng.uniform(0.001, 0.006) * held),
        shake_rate=2 * np.pi * rng.uniform(0.5, 5.0, (3, 3)),
        shake_phase=rng.uniform(0, 2 * np.pi, (3, 3)),
    )
