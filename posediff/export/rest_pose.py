"""Rest pose of a BVH skeleton: a T-pose with the person's bone lengths."""

from __future__ import annotations

import re

import numpy as np

from posediff.geometry.rotations import fitted_rotations, unit
from posediff.structures.skeletons import Skeleton

# Bone directions of a T-pose (left +x, up +y, forward +z), by the joint at the bone's end.
T_POSE = (
    (r'left_(elbow|wrist|pinky|index|thumb)', (1.0, 0.0, 0.0)),
    (r'right_(elbow|wrist|pinky|index|thumb)', (-1.0, 0.0, 0.0)),
    (r'(left|right)_(knee|foot|ankle|heel)', (0.0, -1.0, 0.0)),
    (r'(left|right)_foot_index', (0.0, 0.0, 1.0)),
)
BODY = ('left_hip', 'right_hip', 'left_shoulder', 'right_shoulder')
SHAPE_ROUNDS = 10


def children_of(skeleton: Skeleton, joint: int) -> list[int]:
    """Return the joints whose parent is ``joint``."""
    return [child for child, parent in skeleton.segments if parent == joint]


def rigid_children(skeleton: Skeleton, joint: int) -> list[int]:
    """Return the children that define a branching joint's rotation: those outside limbs, or all if all are limbs."""
    children = children_of(skeleton, joint)
    return [child for child in children if _t_pose(skeleton.joint_names[child]) is None] or children


def body_frames(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Return rotations (F, 3, 3) from body axes (left, up along the trunk, forward) to the axes of the joints.

    Raises:
        ValueError: The skeleton has no hips or no shoulders.
    """
    names = skeleton.joint_names
    missing = [name for name in BODY if name not in names]
    if missing:
        raise ValueError(f'BVH needs hips and shoulders; the skeleton {skeleton.name!r} lacks {", ".join(missing)}')
    left_hip, right_hip, left_shoulder, right_shoulder = (joints[:, names.index(name)] for name in BODY)
    left = unit(left_hip - right_hip, np.array([1.0, 0.0, 0.0]))
    trunk = left_shoulder + right_shoulder - left_hip - right_hip
    up = trunk - (trunk * left).sum(-1, keepdims=True) * left
    up = unit(up, np.cross(np.array([0.0, 0.0, 1.0]), left))
    ahead = unit(np.cross(left, up), np.array([0.0, 0.0, 1.0]))
    return np.stack([left, np.cross(ahead, left), ahead], axis=-1)


def rest_offsets(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Return the vectors from each joint's parent to the joint in the rest pose.

    Lengths are medians over the frames. Arms and legs have T-pose directions. Bones of a branching joint keep their
    mean relative directions; other bones have their mean direction.

    Args:
        joints: (F, K, 3) finite, any unit, y up.
        skeleton: Skeleton of the joints.

    Returns:
        (K, 3) in that unit, zero for the root; left is +x, up +y, forward +z.
    """
    frames = body_frames(joints, skeleton)
    parents = np.where(np.array(skeleton.parents) < 0, skeleton.root, skeleton.parents)
    bones = joints - joints[:, parents]
    in_body = np.einsum('fji,fkj->fki', frames, bones)
    offsets = np.zeros((skeleton.num_joints, 3))
    for joint in range(skeleton.num_joints):
        limbs = [child for child in children_of(skeleton, joint) if _t_pose(skeleton.joint_names[child])]
        for child in limbs:
            offsets[child] = _t_pose(skeleton.joint_names[child])
        others = [child for child in children_of(skeleton, joint) if child not in limbs]
        if others:
            offsets[others] = _mean_shape(in_body[:, others])
    lengths = np.median(np.linalg.norm(bones, axis=-1), axis=0)
    directions = unit(offsets, np.array([0.0, 1.0, 0.0]))
    return directions * lengths[:, None]


def _mean_shape(bones: np.ndarray) -> np.ndarray:
    """Return the mean shape of (F, n, 3) by generalised Procrustes analysis, aligned to the arithmetic mean."""
    prior = np.broadcast_to(np.eye(3), (len(bones), 3, 3))
    shape = bones[0]
    for _ in range(SHAPE_ROUNDS):
        turned = np.einsum('fij,fni->fnj', fitted_rotations(shape, bones, prior), bones)
        shape = turned.mean(0)
    return shape @ fitted_rotations(shape, bones.mean(0, keepdims=True), prior[:1])[0].T


def _t_pose(name: str) -> tuple[float, float, float] | None:
    return next((direction for pattern, direction in T_POSE if re.fullmatch(pattern, name)), None)
