"""Motion models of persons and limbs."""

from __future__ import annotations

import numpy as np

MEASUREMENT_STD = 0.05
"""Standard deviation of a detected position, in sizes: square root of the area of the person's box."""

SPEED_STD = 1.5
"""Initial standard deviation of a person's velocity, sizes per second; a walking person moves at about two."""

ACCELERATION_STD = 1.0
"""Standard deviation of the change of velocity in one second, sizes per second."""

LIMB_MEASUREMENT_STD = 0.02
"""Standard deviation of a detected keypoint relative to the person, sizes."""

LIMB_SPEED_STD = 1.0
"""Standard deviation of a keypoint's velocity relative to the person, sizes per second; a walking person's foot reaches
twice that."""

LIMB_GATE = 3.0
"""Number of standard deviations above which a limb velocity is discarded: left and right were swapped, or a keypoint
jumped."""

LIMB_SPEED_S = 0.15
"""Time in seconds in which a limb's velocity decays to 1/e; a limb swings back within half a second."""


class ConstantVelocity:
    """A Kalman filter of a position with constant velocity and white noise acceleration.

    x and y are filtered identically, so one covariance matrix (of a coordinate and its velocity) is shared. It is in
    units of the person's size, which need not be known since the gains do not depend on it.

    Attributes:
        velocity: (2,) px per second.
        covariance: (position, position and velocity, velocity) entries of the matrix, in sizes and seconds.
    """

    def __init__(self) -> None:
        self.velocity = np.zeros(2)
        self.covariance = (MEASUREMENT_STD**2, 0.0, SPEED_STD**2)

    @property
    def variance(self) -> float:
        """Variance of a coordinate of the position, sizes squared."""
        return self.covariance[0]

    def predict(self, seconds: float) -> np.ndarray:
        """Advance the filter in time and return the displacement of the position, (2,) px."""
        place, mixed, speed = self.covariance
        noise = ACCELERATION_STD**2
        self.covariance = (
            place + 2 * seconds * mixed + seconds**2 * speed + noise * seconds**3 / 3,
            mixed + seconds * speed + noise * seconds**2 / 2,
            speed + noise * seconds,
        )
        return seconds * self.velocity

    def correct(self, error: np.ndarray) -> np.ndarray:
        """Update the filter with a measurement.

        Args:
            error: (2,) px, measured minus predicted position.

        Returns:
            (2,) px, estimated minus predicted position.
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
    """Kalman filters of the velocities of keypoints relative to the person, as Ornstein-Uhlenbeck processes.

    A velocity is measured as the displacement between two frames in which the keypoint was detected. Velocities
    distinguish two persons at the same position in the same pose.

    Args:
        number: K, the number of keypoints.

    Attributes:
        step: (K, 2) px, expected displacement of the keypoints relative to the person since the last frame in which the
            person was detected.
    """

    def __init__(self, number: int) -> None:
        self.velocity = np.zeros((number, 2))
        self.variance = np.full((number, 1), LIMB_SPEED_STD**2)
        self.step = np.zeros((number, 2))
        self.seconds = 0.0

    def predict(self, seconds: float) -> None:
        """Advance the filters in time."""
        kept = np.exp(-seconds / LIMB_SPEED_S)
        self.step = self.step + LIMB_SPEED_S * (1 - kept) * self.velocity
        self.velocity = kept * self.velocity
        self.variance = kept**2 * self.variance + (1 - kept**2) * LIMB_SPEED_STD**2
        self.seconds += seconds

    def correct(self, moved: np.ndarray, seen: np.ndarray, size: float) -> None:
        """Update the filters with a measurement.

        Args:
            moved: (K, 2) px, displacement of the keypoints relative to the person since the last update.
            seen: (K,) bool, which keypoints were detected both times; the others are ignored.
            size: Size of the person, px.
        """
        total = self.variance + 2 * LIMB_MEASUREMENT_STD**2 / self.seconds**2
        error = moved / self.seconds - self.velocity
        jumped = seen[:, None] & ((error / size) ** 2 > LIMB_GATE**2 * total).any(-1, keepdims=True)
        gain = np.where(seen[:, None], self.variance / total, 0.0)
        self.velocity = np.where(jumped, 0.0, self.velocity + gain * error)
        self.variance = np.where(jumped, LIMB_SPEED_STD**2, (1 - gain) * self.variance)
        self.step, self.seconds = np.zeros_like(self.step), 0.0
