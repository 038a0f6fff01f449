"""Estimate of a person's height from a 3D pose."""

from __future__ import annotations

import numpy as np

from posediff.structures.skeletons import Skeleton

UNDER_ANKLE, OVER_EARS = 0.046, 0.07
"""Parts of the height below the ankle and above the ears, which no segment covers: 80 mm and 120 mm for an adult (after
Drillis and Contini 1966)."""
HEIGHTS = (0.4, 2.6)
"""Range of accepted heights, m; values outside are in another unit."""


def statures(joints_3d: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Estimate the heights of persons from the lengths of their segments, independent of the posture.

    The segments lead from the ankle along the leg (mean of both legs) to the hip, from the hips to the root joint, and
    along trunk and neck to the head joint at the ears. :data:`UNDER_ANKLE` and :data:`OVER_EARS` account for the rest.

    Args:
        joints_3d: (R, 17, 3) mm.
        skeleton: A skeleton with the joint names of H36M17.

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
    """Check that a height in m is in the range of persons, and return it.

    Raises:
        ValueError: It is not.
    """
    if not HEIGHTS[0] <= height_m <= HEIGHTS[1]:
        raise ValueError(
            f'a height of {height_m} m is not that of a person: state it in metres, from {HEIGHTS[0]} to {HEIGHTS[1]}'
        )
    return height_m
