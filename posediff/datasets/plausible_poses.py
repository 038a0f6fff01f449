"""Plausibility checks of poses that detect wrong units."""

from __future__ import annotations

import numpy as np

PERSON = (1.0, 2.5)
"""Range in m of the diagonal of the box around a person's joints, median over many poses."""

ANY_POSE = (0.5, 4.0)
"""The same range for one action, which may be curled up or stretched."""

NORMALISED = 2.5
"""If coordinates in images of some hundred px all lie within this bound, they are not px."""


def check_person_size(joints: np.ndarray, place: str, limits: tuple[float, float] = PERSON, hint: str = '') -> None:
    """Check the size of a person.

    Args:
        joints: (F, K, 3) metres.
        place: File and entry, for the error.
        limits: Minimum and maximum diagonal of the box around the joints, m, median over the frames.
        hint: Advice appended to the error.

    Raises:
        ValueError: The size is outside the limits.
    """
    size = float(np.median(np.linalg.norm(np.ptp(joints, axis=1), axis=-1)))
    if not limits[0] <= size <= limits[1]:
        raise ValueError(
            f'{place} measures {size:.4g} m across (median), expected {limits[0]:g} to {limits[1]:g}: is it in another '
            f'unit?{hint}'
        )


def check_pixels(points: np.ndarray, place: str) -> None:
    """Check that coordinates (..., 2) are in px.

    Raises:
        ValueError: Most coordinates are so close to 0 that they must be normalised; (0, 0) is ignored.
    """
    points = points[(points != 0).any(-1)]
    if len(points) and (np.abs(points) <= NORMALISED).all(-1).mean() > 0.5:
        raise ValueError(f'{place}: {_most(points)}, of pictures 1000 px wide: they are normalised, px are expected')


def _most(points: np.ndarray) -> str:
    small = points[(np.abs(points) <= NORMALISED).all(-1)]
    word = 'all' if len(small) == len(points) else 'most'
    return f'{word} coordinates lie within {small.min():.3g} to {small.max():.3g}'
