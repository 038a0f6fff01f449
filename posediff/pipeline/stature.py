"""How tall a lifted person is, and how large the scene becomes when that is known."""

from __future__ import annotations

import numpy as np

from posediff.structures.skeletons import Skeleton

UNDER_ANKLE, OVER_EARS = 0.046, 0.07
"""Of the height, what no segment covers: an adult's 80 mm and 120 mm (after Drillis and Contini 1966)."""
HEIGHTS = (0.4, 2.6)
"""m, of a person: outside is taken as a mistake of units."""


def statures(joints_3d: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Height of people from the lengths of their segments, whatever the posture.

    From the ankle up along the leg (mean of both), from the hips to the root joint, along the trunk and the neck to the
    head joint at the ears; :data:`UNDER_ANKLE` and :data:`OVER_EARS` are what is left.

    Args:
        joints_3d: (R, 17, 3) mm.
        skeleton: With H36M17's joint names.

    Returns:
        (R,) mm.
    """
    names = skeleton.joint_names

    def length(*path: str) -> np.ndarray:
        steps = np.diff(joints_3d[:, [names.index(name) for name in path]], axis=1)
        return np.linalg.norm(steps, axis=-1).sum(-1)

    leg = (length('left_foot', 'left_knee', 'left_hip') + length('right_foot', 'right_knee', 'right_hip')) / 2
    hips = joints_3d[:, [names.index('left_hip'), names.index('right_hip')]].mean(1)
    drop = np.linalg.norm(joints_3d[:, skeleton.root] - hips, axis=-1)
    covered = leg + drop + length('root', 'spine', 'thorax', 'neck_base', 'head')
    return covered / (1 - UNDER_ANKLE - OVER_EARS)


def check_height(height_m: float) -> float:
    """The height in m.

    Raises:
        ValueError: Nobody is that tall.
    """
    if not HEIGHTS[0] <= height_m <= HEIGHTS[1]:
        raise ValueError(
            f'a height of {height_m} m is none of a person: give it in metres, {HEIGHTS[0]} to {HEIGHTS[1]}'
        )
    return height_m
