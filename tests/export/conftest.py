"""Motions for the tests of exporters."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.export import Motion
from posediff.structures.skeletons import CMU17

# Level camera that the person walks towards: x (right) is the person's left, y is down, z (forward) the person's back.


@pytest.fixture
def motion(camera_walk: np.ndarray) -> Motion:
    """Return the motion of a walking person, observed in every frame, with a given up axis."""
    return Motion(camera_walk, CMU17, 30.0, absolute=True, track_id=3, up=np.array([0.0, -1.0, 0.0]))


@pytest.fixture
def gappy(camera_walk: np.ndarray) -> Motion:
    """Return the motion with gaps inside and at the end, one joint missing in one frame, and filled frames."""
    joints = camera_walk.copy()
    observed = np.ones(len(joints), dtype=bool)
    joints[10:13] = joints[58:] = np.nan
    joints[20, 16] = np.nan
    observed[10:13] = observed[58:] = observed[30:32] = False
    return Motion(joints, CMU17, 29.97, absolute=True, observed=observed, up=np.array([0.0, -1.0, 0.0]))
