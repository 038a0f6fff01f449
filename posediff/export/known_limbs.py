"""Removal of the ends of limbs whose joints are unknown in every frame."""

from __future__ import annotations

import numpy as np

from posediff.structures.skeletons import Skeleton


def known_limbs(skeleton: Skeleton, ever_known: np.ndarray) -> tuple[list[int], Skeleton]:
    """Return the joints that remain if joints without any known position are removed from the ends of limbs inwards.

    Joints with a known descendant remain, as do the root, hips and shoulders, which define the body's orientation.

    Args:
        skeleton: Skeleton of K joints.
        ever_known: (K,) bool, the joint is known in at least one frame.

    Returns:
        The joints' indices, ascending, and the skeleton of these joints: ``skeleton`` itself if all remain.
    """
    joints = [joint for joint in range(skeleton.num_joints) if _remains(skeleton, joint, ever_known)]
    return joints, skeleton if len(joints) == skeleton.num_joints else _part_of(skeleton, joints)


def _remains(skeleton: Skeleton, joint: int, ever_known: np.ndarray) -> bool:
    if ever_known[joint] or joint == skeleton.root or skeleton.joint_names[joint].endswith(('_hip', '_shoulder')):
        return True
    children = [child for child, parent in skeleton.segments if parent == joint]
    return any(_remains(skeleton, child, ever_known) for child in children)


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
