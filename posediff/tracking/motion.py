"""Where a person and the person's limbs will be."""

from __future__ import annotations

import numpy as np

MEASUREMENT_STD = 0.05
"""Of a detected place, in sizes: roots of the area of the person's box."""

SPEED_STD = 1.5
"""Of a person who was seen once, sizes a second; somebody who walks crosses about two."""

ACCELERATION_STD = 1.0
"""Of what the speed changes by in a second, sizes a second."""

LIMB_MEASUREMENT_STD = 0.02
"""Of a detected keypoint relative to the person, sizes."""

LIMB_SPEED_STD = 1.0
"""Of a keypoint relative to the person, sizes a second; the foot of a walking person reaches twice that."""

LIMB_GATE = 3.0
"""Standard deviations from which a limb's speed is none: two sides were taken for each other, or a keypoint jumped."""

LIMB_SPEED_S = 0.15
"""Seconds until a limb's speed has lost all but 1/e of what it was; a limb swings back within half a second."""


class ConstantVelocity:
    """Kalman filter of a place that moves at constant velocity but for white noise in its acceleration.

    x and y are filtered alike, so one covariance matrix (of a coordinate and its velocity) serves both. It is in units
    of the person's size, which need not be known: gains have no unit.
    """

    def __init__(self) -> None:
        self.velocity = np.zeros(2)
        self.covariance = (MEASUREMENT_STD**2, 0.0, SPEED_STD**2)

    @property
    def variance(self) -> float:
        """Of a coordinate of the place, sizes squared."""
        return self.covariance[0]

    def predict(self, seconds: float) -> np.ndarray:
        """Let time pass; returns by how many px the place moves, (2,)."""
        place, mixed, speed = self.covariance
        noise = ACCELERATION_STD**2
        self.covariance = (
            place + 2 * seconds * mixed + seconds**2 * speed + noise * seconds**3 / 3,
            mixed + seconds * speed + noise * seconds**2 / 2,
            speed + noise * seconds,
        )
        return seconds * self.velocity

    def correct(self, error: np.ndarray) -> np.ndarray:
        """Take in a measurement.

        Args:
            error: (2,) px from where the place was predicted to where it was measured.

        Returns:
            (2,) px from where it was predicted to where it is estimated to be.
        """
        place, mixed, speed = self.covariance
        total = place + MEASUREMENT_STD**2
        self.velocity = self.velocity + mixed / total * error
        self.covariance = (
            place - place * place / total,
            mixed - mixed * place / total,
            speed - mixed * mixed / total,
        )
        return place / total * error


class LimbMotion:
    """Velocities of keypoints relative to the person, each a random walk that is drawn towards zero.

    This is a Kalman filter of the velocity (Ornstein-Uhlenbeck process), measured as the way between two frames in
    which a keypoint was seen. Two people at the same place in the same pose differ in how their limbs swing.

    Args:
        number: K, of keypoints.

    Attributes:
        step: (K, 2) px that the keypoints are expected to have moved, relative to the person, since the last frame in
            which the person was found.
    """

    def __init__(self, number: int) -> None:
        self.velocity = np.zeros((number, 2))
        self.variance = np.full((number, 1), LIMB_SPEED_STD**2)
        self.step = np.zeros((number, 2))
        self.seconds = 0.0

    def predict(self, seconds: float) -> None:
        """Let time pass."""
        kept = np.exp(-seconds / LIMB_SPEED_S)
        self.step = self.step + LIMB_SPEED_S * (1 - kept) * self.velocity
        self.velocity = kept * self.velocity
        self.variance = kept**2 * self.variance + (1 - kept**2) * LIMB_SPEED_STD**2
        self.seconds += seconds

    def correct(self, moved: np.ndarray, seen: np.ndarray, size: float) -> None:
        """Take in a measurement.

        Args:
            moved: (K, 2) px that the keypoints moved, relative to the person, since they were last taken in.
            seen: (K,) bool, which of them were seen both times; the others are not looked at.
            size: Of the person, px.
        """
        total = self.variance + 2 * LIMB_MEASUREMENT_STD**2 / self.seconds**2
        error = moved / self.seconds - self.velocity
        jumped = seen[:, None] & ((error / size) ** 2 > LIMB_GATE**2 * total).any(-1, keepdims=True)
        gain = np.where(seen[:, None], self.variance / total, 0.0)
        self.velocity = np.where(jumped, 0.0, self.velocity + gain * error)
        self.variance = np.where(jumped, LIMB_SPEED_STD**2, (1 - gain) * self.variance)
        self.step, self.seconds = np.zeros_like(self.step), 0.0
