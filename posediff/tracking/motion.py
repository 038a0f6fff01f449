"""Where a person will be."""

from __future__ import annotations

import numpy as np

MEASUREMENT_STD = 0.05
"""Of a detected place, in sizes: roots of the area of the person's box."""

SPEED_STD = 1.5
"""Of a person who was seen once, sizes a second; somebody who walks crosses about two."""

ACCELERATION_STD = 1.0
"""Of what the speed changes by in a second, sizes a second."""


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
