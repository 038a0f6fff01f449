"""Pictures turned and mirrored as their file says."""

from __future__ import annotations

from typing import Any

import numpy as np

from posediff.video.side_data import side_data

OFF_AXIS = 0.05  # sine of the angle to the nearest quarter turn from which on a note says so: 3 degrees


def display_matrix(frame: Any) -> np.ndarray | None:
    """(2, 2) float64 that takes a pixel (x, y) of a decoded frame to its place on the display; None: as it is.

    The file's matrix is ``[a b u; c d v; x y w]`` for row vectors (ISO/IEC 14496-12, 8.3.2); the shift and the
    perspective do not matter for whole pictures. A matrix without area is none.
    """
    data = side_data(frame, 'DISPLAYMATRIX')
    if data is None:
        return turn(frame.rotation) if frame.rotation else None
    matrix = np.frombuffer(data, np.int32).reshape(3, 3)[:2, :2].T / 65536
    return matrix if abs(np.linalg.det(matrix)) > 0 else None


def turn(degrees: float) -> np.ndarray:
    """Matrix that turns counter-clockwise on the display."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[cosine, sine], [-sine, cosine]])


def upright(image: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Turn and mirror an image (H, W, …) to the one of eight orientations that is nearest to a display matrix."""
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
    """Whether a matrix turns by more than a few degrees from the orientation that is used."""
    if matrix is None:
        return False
    sides = np.abs(matrix) / np.linalg.norm(matrix, axis=0)
    return bool(min(sides[0, 0], sides[1, 0]) > OFF_AXIS)
