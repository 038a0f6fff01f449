"""Clips with labels, as they are after ``TopdownAffine``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

WIDTH, HEIGHT, FRAMES, JOINTS = 48, 64, 5, 17


def make_clip(seed: int = 0, turn: float = 0.0, frames: int = FRAMES) -> dict[str, Any]:
    """Create random frames with the left quarter outside of the picture, and random joints in and around the crop.

    Args:
        seed: Of all random values.
        turn: Of the crop against the picture in radians, from x to y.
        frames: Number of frames.
    """
    rng = np.random.default_rng(seed)
    images = [rng.integers(1, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(frames)]
    for image in images:
        image[:, : WIDTH // 4] = 0
    joints = rng.uniform([-5, -5], [WIDTH + 5, HEIGHT + 5], (1, JOINTS, 2)).astype(np.float32)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return {
        'img': images,
        'img_path': [f'images/target/{frame:06d}.jpg' for frame in range(frames)],
        'key_index': frames // 2,
        'keypoints': ((joints @ turned.T) * 2.5 + 30).astype(np.float32),
        'transformed_keypoints': joints,
        'keypoints_visible': (rng.random((1, JOINTS)) < 0.8).astype(np.float32),
    }


def run(transform: Callable[[dict], dict], results: dict[str, Any], seed: int = 0) -> dict[str, Any]:
    """Apply a transform to a clip, with numpy's global generator seeded as a clip dataset does."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        return transform(dict(results))
    finally:
        np.random.set_state(before)


@pytest.fixture(scope='session')
def clip() -> Callable[..., dict[str, Any]]:
    """Return :func:`make_clip`."""
    return make_clip


@pytest.fixture(scope='session')
def apply() -> Callable[..., dict[str, Any]]:
    """Return :func:`run`."""
    return run
