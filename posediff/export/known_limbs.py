"""Removal of limbs without known joints from a motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posediff.export.motion import Motion
from posediff.structures.skeletons import Skeleton


def without_unknown_limbs(motion: Motion) -> tuple[Motion, tuple[str, ...]]:
    """Remove joints that are not known in any frame, from the ends of limbs inwards.

    Joints with a known descendant are kept, as are the root, hips and shoulders, which define the body's orientation.

    Args:
        motion: Motion of any skeleton. A missing ``up`` is estimated before joints are removed.

    Returns:
        The motion (unchanged if nothing was removed), and the names of the removed joints.
    """
    skeleton = motion.skeleton
    ever_known = np.array([motion.known[:, joint].any() for joint in range(skeleton.num_joints)])
    kept = np.array([ever_known[joint] or _holds(skeleton, joint, ever_known) for joint in range(len(ever_known))])
    if kept.all():
        return motion, ()
    motion = motion.with_up()
    joints = np.flatnonzero(kept)
    smaller = replace(
        motion,
        joints_3d=motion.joints_3d[:, joints],
        joint_observed=motion.seen[:, joints],
        skeleton=_part_of(skeleton, joints.tolist()),
    )
    return smaller, tuple(name for name, keep in zip(skeleton.joint_names, kept, strict=True) if not keep)


def _holds(skeleton: Skeleton, joint: int, ever_known: np.ndarray) -> bool:
    """Return whether the joint is root, hip or shoulder, or has a known descendant."""
    if joint == skeleton.root or skeleton.joint_names[joint].endswith(('_hip', '_shoulder')):
        return True
    children = [child for child, parent in skeleton.segments if parent == joint]
    return any(ever_known[child] or _holds(skeleton, child, ever_known) for child in children)


def _part_of(skeleton: Skeleton, joints: list[int]) -> Skeleton:
    new = {joint: number for number, joint in enumerate(joints)} | {-1: -1}
    pairs = [pair for pair in zip(skeleton.left, skeleton.right, strict=True) if set(pair) <= set(joints)]
    return Skeleton(
        name=f'{skeleton.name} in part',
        joint_names=tuple(skeleton.joint_names[joint] for joint in joints),
        parents=tuple(new[skeleton.parents[joint]] for joint in joints),
        left=tuple(new[left] for left, _ in pairs),
        right=tuple(new[right] for _, right in pairs),
    )
