"""Conversions between skeletons: a graph of explicit rules, each target joint a weighted sum of source joints.

The "hip" or "head" of two detectors are different points of the body, and a lifter silently loses centimetres of
accuracy on joints of another skeleton. Joints are therefore never matched by name alone: a pair of skeletons without a
rule or chain of rules raises an error, and every conversion reports which joints are approximated.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from posediff.structures.skeletons import (
    BODY25,
    BODY25B,
    CMU17,
    COCO17,
    H36M17,
    HALPE26,
    MEDIAPIPE17,
    MEDIAPIPE33,
    MPI15,
    OPENPOSE18,
    POSETRACK15,
    Skeleton,
    get_skeleton,
)

DECISIVE = 0.1
"""Least weight of a joint whose score limits that of the result: others hardly move it."""

Rule = dict[str, dict[str, float]]
"""Target joint → source joint → weight; the weights of a target joint sum to one."""


@dataclass(frozen=True)
class Conversion:
    """How the joints of one skeleton are computed from another.

    Attributes:
        source, target: Names of the skeletons.
        path: All skeletons of the chain, including source and target.
        weights: (K_target, K_source), rows sum to one.
        copied: Target joints that equal one source joint.
        approximated: Target joints that the source lacks, computed from several of its joints.
        dropped: Source joints that no target joint uses.
    """

    source: str
    target: str
    path: tuple[str, ...]
    weights: np.ndarray
    copied: tuple[str, ...]
    approximated: tuple[str, ...]
    dropped: tuple[str, ...]


def convert_joints(
    joints: np.ndarray, source: str, target: str, scores: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, Conversion]:
    """Convert joints and their scores.

    A target joint is NaN with score 0 if a contributing source joint is not finite; other joints are not affected.
    The score of a target joint is the minimum over the source joints with a weight of at least 0.1.

    Args:
        joints: (..., K_source, D) px, mm or any other unit.
        source, target: Names in :data:`posediff.structures.skeletons.SKELETONS`.
        scores: (..., K_source); None: 1 for every joint.

    Returns:
        Joints (..., K_target, D) and scores (..., K_target) in the input dtypes, and the conversion used.

    Raises:
        KeyError: A skeleton is unknown.
        ValueError: The shapes do not match ``source``, or no chain of rules leads to ``target``.
    """
    joints = np.asarray(joints)
    conversion = get_conversion(source, target)
    num_joints = get_skeleton(source).num_joints
    if joints.ndim < 2 or joints.shape[-2] != num_joints:
        raise ValueError(f'joints of {source!r} must be (..., {num_joints}, D), got shape {joints.shape}')
    scores = np.ones(joints.shape[:-1], joints.dtype) if scores is None else np.asarray(scores)
    if scores.shape != joints.shape[:-1]:
        raise ValueError(f'scores must be {joints.shape[:-1]} like the joints, got shape {scores.shape}')

    finite = np.isfinite(joints).all(-1)
    contributes = conversion.weights != 0
    usable = ~(~finite[..., None, :] & contributes).any(-1)
    converted = conversion.weights @ np.where(finite[..., None], joints, 0)
    converted = np.where(usable[..., None], converted, np.nan)
    decides = np.abs(conversion.weights) >= DECISIVE
    least = np.where(decides, scores[..., None, :], np.inf).min(-1)
    return converted.astype(joints.dtype), np.where(usable, least, 0).astype(scores.dtype), conversion


def get_conversion(source: str, target: str) -> Conversion:
    """Return the shortest chain of rules from one skeleton to another, as one matrix.

    Raises:
        KeyError: A skeleton is unknown.
        ValueError: There is no chain of rules.
    """
    first, last = get_skeleton(source), get_skeleton(target)
    path = _shortest_path(source, target)
    weights = np.eye(first.num_joints)
    for step in zip(path, path[1:], strict=False):
        weights = _rule_matrix(*step) @ weights
    copied = (weights == 1).any(-1)
    return Conversion(
        source=source,
        target=target,
        path=path,
        weights=weights,
        copied=_names(last, copied),
        approximated=_names(last, ~copied),
        dropped=_names(first, ~(weights != 0).any(0)),
    )


def _mean(*names: str) -> dict[str, float]:
    return {name: 1 / len(names) for name in names}


def _torso(height: float) -> dict[str, float]:
    """Return the weights of the point at ``height`` on the line from the hip centre (0) to the shoulder centre (1)."""
    hips, shoulders = (1 - height) / 2, height / 2
    return {'left_hip': hips, 'right_hip': hips, 'left_shoulder': shoulders, 'right_shoulder': shoulders}


def _raised(joint: str, height: float) -> dict[str, float]:
    """Return the weights of a joint moved by ``height`` torso lengths from the hips towards the shoulders."""
    moved = {
        'left_shoulder': height / 2,
        'right_shoulder': height / 2,
        'left_hip': -height / 2,
        'right_hip': -height / 2,
    }
    return moved | {joint: moved.get(joint, 0) + 1}


def _above_shoulders(height: float, *head: str) -> dict[str, float]:
    """Return the weights of a point on the line from the shoulder centre to the mean of the ``head`` joints.

    Args:
        height: Position on the line: 0 at the shoulder centre, 1 at the mean of the head joints.
        *head: Names of the head joints.
    """
    shoulders = {'left_shoulder': (1 - height) / 2, 'right_shoulder': (1 - height) / 2}
    return shoulders | {name: height / len(head) for name in head}


_SAME = {name: {name: 1.0} for name in COCO17.joint_names}
_LIMBS: Rule = {
    f'{side}_{target}': {f'{side}_{source}': 1.0}
    for side in ('left', 'right')
    for target, source in (
        *(('hip', 'hip'), ('knee', 'knee'), ('foot', 'ankle')),
        *(('shoulder', 'shoulder'), ('elbow', 'elbow'), ('wrist', 'wrist')),
    )
}

# Human3.6M's neck joint (9) is at the face, its head joint (10) between eyes and ears.
_COCO_TO_H36M: Rule = _LIMBS | {
    'root': _torso(0),
    'spine': _torso(0.5),
    'thorax': _torso(1),
    'neck_base': {'nose': 1.0},
    'head': _mean('left_eye', 'right_eye', 'left_ear', 'right_ear'),
}

# Heights on the torso, measured on 928 poses of 17 subjects of the CMU database. Its neck and head joints are 126 mm
# and 217 mm above the shoulders; the head joint is at the ears.
_CMU_TORSO: Rule = {'root': _torso(0.185), 'spine': _torso(0.643), 'thorax': _torso(0.872)}
_COCO_TO_CMU: Rule = (
    _LIMBS
    | _CMU_TORSO
    | {'neck_base': _above_shoulders(0.58, 'left_ear', 'right_ear'), 'head': _mean('left_ear', 'right_ear')}
)
_H36M_TO_CMU: Rule = (
    {name: {name: 1.0} for name in _LIMBS}
    | _CMU_TORSO
    | {'neck_base': _above_shoulders(0.58, 'head'), 'head': {'head': 1.0}}
)

_MEDIAPIPE_TORSO: Rule = {'root': _torso(0), 'spine': _torso(0.5), 'thorax': _torso(1)}
_COCO_TO_MEDIAPIPE: Rule = _COCO_TO_CMU | _MEDIAPIPE_TORSO

# From the proportions of MediaPipe's world landmarks in two clips, as medians relative to the length of thigh plus shin
# (37 subjects of the CMU database in brackets): hip distance 0.28 (0.22), forearm 0.30 (0.22; 0.30 in Winter,
# "Biomechanics and Motor Control of Human Movement"), thigh 0.50 (0.48). Other lengths differ by less than they differ
# between subjects.
_CMU_TO_MEDIAPIPE: Rule = (
    {name: {name: 1.0} for name in (*_LIMBS, 'neck_base', 'head')}
    | _MEDIAPIPE_TORSO
    | {
        f'{side}_{joint}': rule
        for side, other in (('left', 'right'), ('right', 'left'))
        for joint, rule in (
            ('hip', {f'{side}_hip': 1.14, f'{other}_hip': -0.14}),
            ('knee', {f'{side}_knee': 0.97, f'{side}_foot': 0.03}),
            ('wrist', {f'{side}_elbow': -0.35, f'{side}_wrist': 1.35}),
        )
    }
)

# PoseTrack's head extends from the upper end of the neck to the top of the skull; the ears are near its middle.
_POSETRACK_TO_H36M: Rule = _LIMBS | {
    'root': _torso(0),
    'spine': _torso(0.5),
    'thorax': _torso(1),
    'neck_base': {'nose': 1.0},
    'head': {'head_bottom': 0.5, 'head_top': 0.5},
}

# Measured with `posediff benchmark conversion` (docs/benchmarks.md): the packaged DiffPose against MediaPipe on 304
# poses in 101 test clips of JHMDB and five other videos, in lengths of the torso. The packaged model's nose is JHMDB's
# centre of the face. The middle of MediaPipe's ears is 0.93 of the way from the shoulders to it (median distance 0.068
# in videos left out of the fit; 0.087 with the middle of head_bottom and head_top, of which real video annotates none),
# and the neck 0.57 (0.056; 0.068). With JHMDB's annotations instead of DiffPose, they are 0.97 and 0.62.
_POSETRACK_HEAD: Rule = {'neck_base': _above_shoulders(0.58, 'nose'), 'head': _above_shoulders(0.95, 'nose')}
_POSETRACK_TO_CMU: Rule = _LIMBS | _CMU_TORSO | _POSETRACK_HEAD

# MediaPipe's hips are 0.036 of the torso above those of the packaged DiffPose (JHMDB's annotations: 0.051), and neither
# wider nor narrower (factor -0.005). Shoulders differ by 0.018, knees by 0.002, ankles by 0.023 (0.053 in the five
# videos, 0.002 in JHMDB): less than between videos, so there is no rule for them.
_POSETRACK_HIPS = 0.04
_POSETRACK_TO_MEDIAPIPE: Rule = (
    _LIMBS
    | _POSETRACK_HEAD
    | {'root': _torso(_POSETRACK_HIPS), 'spine': _torso((1 + _POSETRACK_HIPS) / 2), 'thorax': _torso(1)}
    | {f'{side}_hip': _raised(f'{side}_hip', _POSETRACK_HIPS) for side in ('left', 'right')}
)

# MPII's two head joints are those of PoseTrack. It has no nose; the nose is slightly below their middle.
_MPI_HEAD = {'neck': 0.5, 'head_top': 0.5}
_MPI_TO_H36M: Rule = _POSETRACK_TO_H36M | {'neck_base': {'neck': 0.6, 'head_top': 0.4}, 'head': _MPI_HEAD}
_MPI_TO_CMU: Rule = _LIMBS | _CMU_TORSO | {'neck_base': _above_shoulders(0.58, 'neck', 'head_top'), 'head': _MPI_HEAD}

_RULES: dict[tuple[str, str], Rule] = {
    (MEDIAPIPE33.name, COCO17.name): _SAME,
    (COCO17.name, H36M17.name): _COCO_TO_H36M,
    (COCO17.name, CMU17.name): _COCO_TO_CMU,
    (COCO17.name, MEDIAPIPE17.name): _COCO_TO_MEDIAPIPE,
    (H36M17.name, CMU17.name): _H36M_TO_CMU,
    (H36M17.name, MEDIAPIPE17.name): _H36M_TO_CMU | _MEDIAPIPE_TORSO,
    (CMU17.name, MEDIAPIPE17.name): _CMU_TO_MEDIAPIPE,
    (MEDIAPIPE17.name, CMU17.name): _H36M_TO_CMU,
    (HALPE26.name, COCO17.name): _SAME,
    (BODY25.name, COCO17.name): _SAME,
    (BODY25B.name, COCO17.name): _SAME,
    (OPENPOSE18.name, COCO17.name): _SAME,
    (MPI15.name, H36M17.name): _MPI_TO_H36M,
    (MPI15.name, CMU17.name): _MPI_TO_CMU,
    (MPI15.name, MEDIAPIPE17.name): _MPI_TO_CMU | _MEDIAPIPE_TORSO,
    (POSETRACK15.name, H36M17.name): _POSETRACK_TO_H36M,
    (POSETRACK15.name, CMU17.name): _POSETRACK_TO_CMU,
    (POSETRACK15.name, MEDIAPIPE17.name): _POSETRACK_TO_MEDIAPIPE,
}


def _shortest_path(source: str, target: str) -> tuple[str, ...]:
    paths: deque[tuple[str, ...]] = deque([(source,)])
    seen = {source}
    while paths:
        path = paths.popleft()
        if path[-1] == target:
            return path
        for start, end in _RULES:
            if start == path[-1] and end not in seen:
                seen.add(end)
                paths.append((*path, end))
    reachable = ', '.join(sorted(seen - {source})) or 'nothing'
    raise ValueError(f'no conversion from skeleton {source!r} to {target!r}; {source!r} converts to: {reachable}')


def _rule_matrix(source: str, target: str) -> np.ndarray:
    rule = _RULES[source, target]
    first, last = get_skeleton(source), get_skeleton(target)
    matrix = np.zeros((last.num_joints, first.num_joints))
    for row, name in enumerate(last.joint_names):
        for contributor, weight in rule[name].items():
            matrix[row, first.joint_names.index(contributor)] = weight
    return matrix


def _names(skeleton: Skeleton, chosen: np.ndarray) -> tuple[str, ...]:
    return tuple(name for name, is_chosen in zip(skeleton.joint_names, chosen, strict=True) if is_chosen)
