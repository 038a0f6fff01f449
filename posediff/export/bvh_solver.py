"""Solver from joint positions to a skeleton with constant bone lengths and rotations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.export.rest_pose import body_frames, children_of, rest_offsets, rigid_children
from posediff.geometry.rotations import fitted_rotations, swings, unit
from posediff.structures.skeletons import Skeleton


@dataclass(frozen=True)
class BvhNode:
    """One joint of the hierarchy.

    Attributes:
        name: Name of the joint, or ``<parent>_to_<child>`` for a helper.
        parent: Index of the parent, -1 for the root.
        joint: Index in the skeleton; None for a helper, which coincides with its parent.
        offset: (3,) from the parent in the rest pose.
        end: (3,) from the joint to the end site; None for nodes with children.
    """

    name: str
    parent: int
    joint: int | None
    offset: np.ndarray
    end: np.ndarray | None


@dataclass(frozen=True)
class BvhPose:
    """A solved clip of F frames.

    Attributes:
        nodes: N nodes in file order, parents first.
        rotations: (F, N, 3, 3) of each node in its parent's axes.
        root: (F, 3) position of the root.
    """

    nodes: tuple[BvhNode, ...]
    rotations: np.ndarray
    root: np.ndarray


def solve_rotations(
    joints: np.ndarray, skeleton: Skeleton, end_length: float, measured: np.ndarray | None = None
) -> BvhPose:
    """Fit bones of constant length and their rotations.

    A joint with one child gets the twist-free rotation onto the observed bone
    (:func:`~posediff.geometry.rotations.swings`). A joint with several children gets the rotation that fits them best.
    Each of these children has a helper joint at the same position with the residual rotation of its bone. Bone
    directions are therefore exact; position errors come only from variable bone lengths.

    Args:
        joints: (F, K, 3) finite, y up, any unit.
        skeleton: Skeleton of the joints.
        end_length: Length of the end sites that extend the last bone of each limb, as BVH requires.
        measured: (F,) bool, frames used for the bone lengths; None or no true frame: all.

    Returns:
        Nodes in depth-first order, rotations, and root positions.
    """
    offsets = rest_offsets(joints if measured is None or not measured.any() else joints[measured], skeleton)
    nodes: list[BvhNode] = []
    turned: list[np.ndarray] = []  # global rotations

    def add(joint: int, parent: int, before: np.ndarray) -> None:
        children = children_of(skeleton, joint)
        end = None if children else end_length * unit(offsets[joint], np.array([0.0, 1.0, 0.0]))
        here = len(nodes)
        nodes.append(BvhNode(name(joint), parent, joint, offsets[joint], end))
        turned.append(before)
        if len(children) == 1:
            turned[here] = before @ towards(joint, children[0], before)
        elif children:
            rigid = rigid_children(skeleton, joint)
            turned[here] = fitted_rotations(offsets[rigid], joints[:, rigid] - joints[:, [joint]], before)
        for child in children:
            base, rotation = here, turned[here]
            if len(children) > 1:
                base, rotation = len(nodes), rotation @ towards(joint, child, rotation)
                nodes.append(BvhNode(f'{name(joint)}_to_{name(child)}', here, None, np.zeros(3), None))
                turned.append(rotation)
            add(child, base, rotation)

    def name(joint: int) -> str:
        return skeleton.joint_names[joint]

    def towards(joint: int, child: int, axes: np.ndarray) -> np.ndarray:
        """Return the swing (F, 3, 3), in ``axes``, from the rest pose to the observed bone; none for length 0."""
        rest = unit(offsets[child], np.array([0.0, 1.0, 0.0]))
        seen = np.einsum('fji,fj->fi', axes, joints[:, child] - joints[:, joint])
        return swings(rest, unit(seen, rest))

    add(skeleton.root, -1, body_frames(joints, skeleton))
    local = [
        rotation if node.parent < 0 else np.swapaxes(turned[node.parent], 1, 2) @ rotation
        for node, rotation in zip(nodes, turned, strict=True)
    ]
    return BvhPose(tuple(nodes), np.stack(local, axis=1), joints[:, skeleton.root])


def posed_joints(pose: BvhPose, num_joints: int) -> np.ndarray:
    """Return the joint positions (F, K, 3) by forward kinematics."""
    joints = np.zeros((len(pose.root), num_joints, 3))
    positions: list[np.ndarray] = []
    turned: list[np.ndarray] = []
    for index, node in enumerate(pose.nodes):
        rotation = pose.rotations[:, index]
        if node.parent < 0:
            positions.append(pose.root)
            turned.append(rotation)
        else:
            positions.append(positions[node.parent] + turned[node.parent] @ node.offset)
            turned.append(turned[node.parent] @ rotation)
        if node.joint is not None:
            joints[:, node.joint] = positions[index]
    return joints
