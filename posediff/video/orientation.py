"""Rotate and flip pictures as their file states."""

from __future__ import annotations

from typing import Any

import numpy as np

from posediff.video.side_data import side_data

OFF_AXIS = 0.05  # sine of the angle to the nearest quarter turn above which a note is made: 3 degrees


def display_matrix(frame: Any) -> np.ndarray | None:
    """Return the (2, 2) float64 matrix from a pixel (x, y) of a decoded frame to the display; None: identity.

    The file's matrix is ``[a b u; c d v; x y w]`` for row vectors (ISO/IEC 14496-12, 8.3.2); translation and
    perspective are irrelevant for whole pictures. A singular matrix is ignored.
    """
    data = side_data(frame, 'DISPLAYMATRIX')
    if data is None:
        return turn(frame.rotation) if frame.rotation else None
    matrix = np.frombuffer(data, np.int32).reshape(3, 3)[:2, :2].T / 65536
    return matrix if abs(np.linalg.det(matrix)) > 0 else None


def turn(degrees: float) -> np.ndarray:
    """Return the matrix that rotates counter-clockwise on the display."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[cosine, sine], [-sine, cosine]])


def upright(image: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Rotate and flip an image (H, W, …) to the one of eight orientations nearest to a display matrix."""
    if matrix is None:
        return image
    (a, c), (b, d) = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        flip_x, flip_y = a < 0, d < 0
    else:
        image = np.swapaxes(image, 0, 1)
        flip_x, flip_y = c < 0, b < 0
    image = image[:, ::-1] if flip_x else image
    return np.ascontiguousarray(image[::-1] if flip_y else image)


def is_off_axis(matrix: np.ndarray | None) -> bool:
    """Return whether a matrix rotates by more than 3 degrees from the nearest quarter turn."""
    if matrix is None:
        return False
    sides = np.abs(matrix) / np.linalg.norm(matrix, axis=0)
    return bool(min(sides[0, 0], sides[1, 0]) > OFF_AXIS)
