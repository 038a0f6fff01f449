"""Products of single vectors; numpy's functions are designed for many vectors and take ten times as long for one."""

from __future__ import annotations

import math

import numpy as np


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the (3,) cross product of two (3,) vectors."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def unit(vector: np.ndarray) -> np.ndarray:
    """Return the (3,) vector normalised to length 1; zero stays zero."""
    return vector / max(math.sqrt(vector @ vector), 1e-9)
