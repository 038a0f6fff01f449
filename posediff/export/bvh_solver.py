"""Solver from joint positions to a skeleton with constant bone lengths and rotations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.export.rest_pose import body_frames, children_of, rigid_children
from posediff.geometry.rotations import ContinuousSwings, fitted_rotations, unit
from posediff.structures.skeletons import Skeleton

UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class BvhNode:
    """One joint of the hierarchy.

    Attributes:
        name: Name of the joint, or ``<parent>_to_<child>`` for a helper.
        parent: Index of the parent, -1 for the root.
        joint: Index in the skeleton; None for a helper, which coincides with its parent.
        offset: (3,) vector from the parent in the rest pose, in the unit of the solver's offsets.
        end: (3,) vector from the joint to the end site; None for nodes with children.
    """

    name: str
    parent: int
    joint: int | None
    offset: np.ndarray
    end: np.ndarray | None


@dataclass(frozen=True)
class BvhPose:
    """F solved frames.

    Attributes:
        nodes: N nodes in file order, parents first.
        rotations: (F, N, 3, 3) rotation of each node relative to its parent; of the root, relative to the world.
        root: (F, 3) position of the root, in the unit of the input joints.
    """

    nodes: tuple[BvhNode, ...]
    rotations: np.ndarray
    root: np.ndarray


class BvhSolver:
    """Fits bones of constant length and their rotations to joint positions, in consecutive blocks of frames.

    A joint with one child gets the twist-free rotation onto the observed bone
    (:func:`~posediff.geometry.rotations.swings`). A joint with several children gets the rotation that fits them best.
    Each of these children has a helper joint at the same position with the residual rotation of its bone. Bone
    directions are therefore exact; position errors come only from variable bone lengths.

    Args:
        offsets: (K, 3) from each joint's parent in the rest pose, see
            :func:`~posediff.export.rest_pose.rest_offsets`.
        skeleton: Skeleton of the joints.
        end_length: Length of the end sites that extend the last bone of each limb, as BVH requires.

    Attributes:
        nodes: N nodes in depth-first order.
    """

    def __init__(self, offsets: np.ndarray, skeleton: Skeleton, end_length: float) -> None:
        self.offsets, self.skeleton = offsets, skeleton
        self.nodes: list[BvhNode] = []
        # by index of a node that rotates exactly one bone: the bone's joint, its child, and the bone's rotation
        self._bones: dict[int, tuple[int, int, ContinuousSwings]] = {}
        self._end_length = end_length
        self._add(skeleton.root, -1)

    def __call__(self, joints: np.ndarray) -> BvhPose:
        """Return rotations and root positions of the next frames.

        Args:
            joints: (F, K, 3) finite, y up, in the unit of the offsets.
        """
        turned: list[np.ndarray] = []  # global rotations
        local: list[np.ndarray] = []
        for index, node in enumerate(self.nodes):
            before = body_frames(joints, self.skeleton) if node.parent < 0 else turned[node.parent]
            rotation = before
            if index in self._bones:
                parent, child, swing = self._bones[index]
                seen = np.einsum('fji,fj->fi', before, joints[:, child] - joints[:, parent])
                rotation = before @ swing(unit(seen, swing.rest))
            elif node.joint is not None and children_of(self.skeleton, node.joint):
                rigid = rigid_children(self.skeleton, node.joint)
                bones = joints[:, rigid] - joints[:, [node.joint]]
                rotation = fitted_rotations(self.offsets[rigid], bones, before)
            turned.append(rotation)
            local.append(rotation if node.parent < 0 else np.swapaxes(before, 1, 2) @ rotation)
        return BvhPose(tuple(self.nodes), np.stack(local, axis=1), joints[:, self.skeleton.root])

    def _add(self, joint: int, parent: int) -> None:
        """Add the node of a joint, its helpers, and its descendants."""
        name, children = self.skeleton.joint_names[joint], children_of(self.skeleton, joint)
        end = None if children else self._end_length * unit(self.offsets[joint], UP)
        here = len(self.nodes)
        self.nodes.append(BvhNode(name, parent, joint, self.offsets[joint], end))
        if len(children) == 1:
            self._bones[here] = self._bone(joint, children[0])
        for child in children:
            base = here
            if len(children) > 1:
                base = len(self.nodes)
                helper = f'{name}_to_{self.skeleton.joint_names[child]}'
                self.nodes.append(BvhNode(helper, here, None, np.zeros(3), None))
                self._bones[base] = self._bone(joint, child)
            self._add(child, base)

    def _bone(self, joint: int, child: int) -> tuple[int, int, ContinuousSwings]:
        return joint, child, ContinuousSwings(unit(self.offsets[child], UP))


def posed_joints(pose: BvhPose, num_joints: int) -> np.ndarray:
    """Return the joint positions (F, ``num_joints``, 3) of a pose by forward kinematics, in the unit of its offsets."""
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
