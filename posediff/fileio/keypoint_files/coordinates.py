"""Units of keypoint coordinates: relative coordinates are detected, but converted only if the unit is stated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

COORDINATES = {
    'px': 'pixels from the top left corner',
    'normalised': 'x from 0 to 1 over the width, y from 0 to 1 over the height (MediaPipe, YOLO)',
    'screen': 'x from -1 to 1 over the width, y in the same unit around the middle (VideoPose3D)',
    'ndc': 'x from -1 to 1 over the width, y from -1 to 1 over the height (OpenPose with --keypoint_scale 4)',
}

SMALL = 4.0
"""Poses within this distance of the top left corner are not in px, since no person is visible in 8 by 8 px. Relative
coordinates stay below it even if a person extends beyond the image."""


def in_pixels(points: np.ndarray, coordinates: str, img_shape: tuple[int, int]) -> np.ndarray:
    """Convert points (..., 2) to px of pictures of size (h, w)."""
    height, width = img_shape
    if coordinates == 'normalised':
        return points * [width, height]
    if coordinates == 'screen':
        return (points + [1.0, height / width]) * (width / 2)
    if coordinates == 'ndc':
        return (points + 1.0) * [width / 2, height / 2]
    return points


def check_coordinates(
    file: str, poses: Sequence[np.ndarray], coordinates: str, img_shape: tuple[int, int] | None, *, asked: bool
) -> None:
    """Check that poses are plausible in their unit.

    Args:
        file: Name of the file, for the message.
        poses: Detected points of each person, (N, 2).
        coordinates: The unit.
        img_shape: (h, w) px of the pictures, if known.
        asked: Whether the user stated the unit; if so, px are not checked.

    Raises:
        ValueError: Most poses are within :data:`SMALL` units of the corner although the default unit is px, or are not
            although the unit is relative.
    """
    held = [pose for pose in poses if len(pose)]
    if not held:
        return
    # single points of a pose may be far off, where a model extrapolates joints outside of the image
    small = [bool((np.abs(pose) <= SMALL).all(-1).mean() > 0.5) for pose in held]
    points = np.concatenate(held)
    reach = 'x from {:.3g} to {:.3g}, y from {:.3g} to {:.3g}'.format(
        *(value for axis in points.T for value in (axis.min(), axis.max()))
    )
    if coordinates == 'px':
        if not asked and np.mean(small) > 0.5:
            size = 'any picture' if img_shape is None else f'pictures of {img_shape[1]}x{img_shape[0]} px'
            guesses = 'normalised' if points.min() > -0.9 else 'screen or ndc'
            raise ValueError(
                f'{file}: {reach} does not fit {size}: keypoints are expected in px and these look {guesses}; '
                f'state their unit with --coordinates ({", ".join(COORDINATES)})'
            )
    elif np.mean(small) <= 0.5:
        raise ValueError(f'{file}: {reach} is not {coordinates} ({COORDINATES[coordinates]})')
