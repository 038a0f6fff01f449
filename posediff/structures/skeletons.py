"""Named skeletons: joint order, parents, sides.

Conversions between them are in :mod:`posediff.structures.skeleton_conversion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Skeleton:
    """A named set of joints, with their order, hierarchy and sides.

    Attributes:
        name: Unique name.
        joint_names: K names in storage order.
        parents: Parent of each joint, -1 for the root.
        left, right: Indices of the joints of each side; ``left[i]`` and ``right[i]`` are counterparts.
    """

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]

    @property
    def num_joints(self) -> int:
        return len(self.joint_names)

    @property
    def root(self) -> int:
        return self.parents.index(-1)

    @cached_property
    def segments(self) -> tuple[tuple[int, int], ...]:
        """(child, parent) of every joint except the root."""
        return tuple((child, parent) for child, parent in enumerate(self.parents) if parent >= 0)

    @cached_property
    def flip_indices(self) -> tuple[int, ...]:
        """Permutation that swaps left and right joints."""
        order = list(range(self.num_joints))
        for left, right in zip(self.left, self.right, strict=True):
            order[left], order[right] = right, left
        return tuple(order)

    def adjacency(self) -> np.ndarray:
        """Return the adjacency matrix: (K, K) float64, symmetric 0/1 with ones on the diagonal."""
        matrix = np.eye(self.num_joints)
        for child, parent in self.segments:
            matrix[child, parent] = matrix[parent, child] = 1.0
        return matrix


H36M17 = Skeleton(
    name='h36m17',
    joint_names=(
        'root', 'right_hip', 'right_knee', 'right_foot', 'left_hip', 'left_knee', 'left_foot', 'spine',
        'thorax', 'neck_base', 'head', 'left_shoulder', 'left_elbow', 'left_wrist', 'right_shoulder',
        'right_elbow', 'right_wrist',
    ),
    parents=(-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    left=(4, 5, 6, 11, 12, 13),
    right=(1, 2, 3, 14, 15, 16),
)  # fmt: skip

# Joint names and order of H36M17, at the positions of the CMU motion capture database: the root is a fifth of the way
# from the hips to the shoulders, spine and thorax are elsewhere on that line, the head joint is between the ears.
CMU17 = replace(H36M17, name='cmu17')

# The same joint names, at the positions found by image-based detectors (MediaPipe and models trained on COCO): the hips
# are wider apart than in motion capture, and the root is midway between them. Joints that detectors lack are computed
# from those they have.
MEDIAPIPE17 = replace(H36M17, name='mediapipe17')

COCO17 = Skeleton(
    name='coco17',
    joint_names=(
        'nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'left_shoulder', 'right_shoulder',
        'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee',
        'right_knee', 'left_ankle', 'right_ankle',
    ),
    parents=(-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
    left=(1, 3, 5, 7, 9, 11, 13, 15),
    right=(2, 4, 6, 8, 10, 12, 14, 16),
)  # fmt: skip

# The landmarks of MediaPipe's pose model (BlazePose).
MEDIAPIPE33 = Skeleton(
    name='mediapipe33',
    joint_names=(
        'nose', 'left_eye_inner', 'left_eye', 'left_eye_outer', 'right_eye_inner', 'right_eye',
        'right_eye_outer', 'left_ear', 'right_ear', 'left_mouth', 'right_mouth', 'left_shoulder',
        'right_shoulder', 'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_pinky', 'right_pinky',
        'left_index', 'right_index', 'left_thumb', 'right_thumb', 'left_hip', 'right_hip', 'left_knee',
        'right_knee', 'left_ankle', 'right_ankle', 'left_heel', 'right_heel', 'left_foot_index',
        'right_foot_index',
    ),
    parents=(
        *(-1, 0, 1, 2, 0, 4, 5, 3, 6, 0, 0, 0, 0, 11, 12, 13, 14),
        *(15, 16, 15, 16, 15, 16, 11, 12, 23, 24, 25, 26, 27, 28, 29, 30),
    ),
    left=(1, 2, 3, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31),
    right=(4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32),
)  # fmt: skip

# The joints that PoseTrack evaluates, in the order of its 2018 annotations, which list two ears after the head top.
POSETRACK15 = Skeleton(
    name='posetrack15',
    joint_names=(
        'nose', 'head_bottom', 'head_top', 'left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow',
        'left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee', 'right_knee', 'left_ankle',
        'right_ankle',
    ),
    parents=(1, -1, 0, 1, 1, 3, 4, 5, 6, 3, 4, 9, 10, 11, 12),
    left=(3, 5, 7, 9, 11, 13),
    right=(4, 6, 8, 10, 12, 14),
)  # fmt: skip

# Output of RTMPose's body-with-feet models (Halpe, 26 keypoints): COCO's joints, then these.
HALPE26 = Skeleton(
    name='halpe26',
    joint_names=(
        *COCO17.joint_names, 'head', 'neck', 'hip', 'left_big_toe', 'right_big_toe', 'left_small_toe',
        'right_small_toe', 'left_heel', 'right_heel',
    ),
    parents=(18, 0, 0, 1, 2, 18, 18, 5, 6, 7, 8, 19, 19, 11, 12, 13, 14, 0, 19, -1, 15, 16, 15, 16, 15, 16),
    left=(*COCO17.left, 20, 22, 24),
    right=(*COCO17.right, 21, 23, 25),
)  # fmt: skip

# OpenPose's three body models; the last joint of MPI_15 is the centre of the trunk.
OPENPOSE18 = Skeleton(
    name='openpose18',
    joint_names=(
        'nose', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist', 'left_shoulder', 'left_elbow',
        'left_wrist', 'right_hip', 'right_knee', 'right_ankle', 'left_hip', 'left_knee', 'left_ankle',
        'right_eye', 'left_eye', 'right_ear', 'left_ear',
    ),
    parents=(1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12, 0, 0, 14, 15),
    left=(5, 6, 7, 11, 12, 13, 15, 17),
    right=(2, 3, 4, 8, 9, 10, 14, 16),
)  # fmt: skip

BODY25 = Skeleton(
    name='body25',
    joint_names=(
        *OPENPOSE18.joint_names[:8], 'mid_hip', *OPENPOSE18.joint_names[8:], 'left_big_toe', 'left_small_toe',
        'left_heel', 'right_big_toe', 'right_small_toe', 'right_heel',
    ),
    parents=(1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 10, 8, 12, 13, 0, 0, 15, 16, 14, 14, 14, 11, 11, 11),
    left=(5, 6, 7, 12, 13, 14, 16, 18, 19, 20, 21),
    right=(2, 3, 4, 9, 10, 11, 15, 17, 22, 23, 24),
)  # fmt: skip

MPI15 = Skeleton(
    name='mpi15',
    joint_names=('head_top', *OPENPOSE18.joint_names[1:14], 'chest'),
    parents=(1, -1, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12, 1),
    left=(5, 6, 7, 11, 12, 13),
    right=(2, 3, 4, 8, 9, 10),
)  # fmt: skip

# OpenPose's experimental BODY_25B: COCO's joints, two head joints, then the feet.
BODY25B = Skeleton(
    name='body25b',
    joint_names=(*COCO17.joint_names, 'upper_neck', 'head_top', *BODY25.joint_names[19:]),
    parents=(17, 0, 0, 1, 2, 17, 17, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14, -1, 17, 15, 15, 15, 16, 16, 16),
    left=(*COCO17.left, 19, 20, 21),
    right=(*COCO17.right, 22, 23, 24),
)  # fmt: skip

SKELETONS: dict[str, Skeleton] = {
    skeleton.name: skeleton
    for skeleton in (
        *(H36M17, CMU17, MEDIAPIPE17, COCO17, MEDIAPIPE33, POSETRACK15, HALPE26),
        *(BODY25, OPENPOSE18, MPI15, BODY25B),
    )
}


def get_skeleton(name: str) -> Skeleton:
    """Return the skeleton called ``name``.

    Raises:
        KeyError: There is no such skeleton; the message lists the known ones.
    """
    try:
        return SKELETONS[name]
    except KeyError:
        raise KeyError(f'unknown skeleton {name!r}; known: {", ".join(sorted(SKELETONS))}') from None


def match_skeleton(names: Sequence[str]) -> tuple[Skeleton, list[int]]:
    """Return the largest named skeleton whose joints are all among the given names.

    CMU17 and MEDIAPIPE17 share H36M17's joint names at other positions, so names alone always match H36M17.

    Args:
        names: Keypoint names of a model, in its order.

    Returns:
        The skeleton, and the index of each of its joints in ``names``.

    Raises:
        ValueError: No skeleton matches.
    """
    fitting = [
        one for one in SKELETONS.values() if set(one.joint_names) <= set(names) and one not in (CMU17, MEDIAPIPE17)
    ]
    if not fitting:
        raise ValueError(f'keypoints {", ".join(names)} match no known skeleton: {", ".join(sorted(SKELETONS))}')
    skeleton = max(fitting, key=lambda one: one.num_joints)
    return skeleton, [list(names).index(name) for name in skeleton.joint_names]
