"""Systematic differences between the joints of two pose estimators on the same people, and rules that remove them.

"Hip" or "head" of two estimators are different points of the body. The difference of a joint is described by vectors
between joints of the same pose (along the bone, towards the other side, up the trunk), whose factors are weights of a
conversion rule: they turn, scale and foreshorten with the body.

Shapes: N poses, K joints. Lengths are in torso lengths: the distance between the centres of shoulders and hips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from posediff.structures.skeletons import Skeleton

Combination = Mapping[str, float]
"""Joint → weight; the weights of a vector sum to 0."""

FITTED_JOINTS = ('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'foot', 'neck_base', 'head')
"""Joints of the lifters' skeletons whose differences are fitted; left and right together. Those of the trunk's middle
are sums of these by definition."""

HUBER_TORSOS = 0.05
"""Error in torso lengths above which the fit weights an error linearly, not squared."""

SHORTEST_TORSO_PX = 20.0
MOST_DISAGREEMENT = 0.3
"""Median distance of the joints, in torso lengths, above which two poses are of different people or one is wrong."""


@dataclass(frozen=True)
class JointOffset:
    """The difference of one joint of a reference from that of another estimator.

    Attributes:
        joint: Name of the joint.
        count: Number of poses in which both have it.
        factors: Vector's name → fitted factor.
        offsets: Vector's name → median component of the difference along it, torso lengths.
        distance: Median distance with the rule that was given, torso lengths.
        fitted_distance: The same with the fitted factors, for the poses of videos that were left out of the fit.
    """

    joint: str
    count: int
    factors: dict[str, float]
    offsets: dict[str, float]
    distance: float
    fitted_distance: float


def body_vectors(joint: str, side: str, skeleton: Skeleton) -> dict[str, Combination]:
    """Return the vectors by which the difference of a joint is described, as combinations of a skeleton's joints.

    Args:
        joint: One of :data:`FITTED_JOINTS`.
        side: ``'left'`` or ``'right'``; not used for joints without a side.
        skeleton: Skeleton with shoulders, elbows, wrists, hips, knees, ankles, and a nose.
    """
    other = 'right' if side == 'left' else 'left'
    shoulders = {'left_shoulder': 0.5, 'right_shoulder': 0.5}
    up = {**shoulders, 'left_hip': -0.5, 'right_hip': -0.5}

    def bone(end: str, start: str) -> Combination:
        return {f'{side}_{end}': 1.0, f'{side}_{start}': -1.0}

    vectors: dict[str, dict[str, Combination]] = {
        'hip': {
            'outward': {f'{side}_hip': 1.0, f'{other}_hip': -1.0},
            'up the trunk': up,
            'thigh': bone('knee', 'hip'),
        },
        'knee': {'thigh': bone('knee', 'hip'), 'shin': bone('ankle', 'knee')},
        'foot': {'shin': bone('ankle', 'knee')},
        'shoulder': {
            'outward': {f'{side}_shoulder': 1.0, f'{other}_shoulder': -1.0},
            'up the trunk': up,
            'upper arm': bone('elbow', 'shoulder'),
        },
        'elbow': {'upper arm': bone('elbow', 'shoulder'), 'forearm': bone('wrist', 'elbow')},
        'wrist': {'forearm': bone('wrist', 'elbow')},
    }
    if joint in vectors:
        return vectors[joint]
    of_head: dict[str, Combination] = {
        'up the trunk': up,
        'shoulders to nose': {'nose': 1.0, **{name: -weight for name, weight in shoulders.items()}},
    }
    if 'head_bottom' in skeleton.joint_names:
        of_head['shoulders to head bottom'] = {
            'head_bottom': 1.0, **{name: -weight for name, weight in shoulders.items()}
        }  # fmt: skip
    return of_head


def combine(joints: np.ndarray, names: Sequence[str], weights: Combination) -> np.ndarray:
    """Return weighted sums of joints (N, K, 2), whose names are given, as (N, 2)."""
    return sum((weight * joints[:, list(names).index(name)] for name, weight in weights.items()), np.zeros(2))


def torso_lengths(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Return the distances (N,) between the centres of shoulders and hips of poses (N, K, 2)."""
    centres = [
        joints[:, [skeleton.joint_names.index(f'{side}_{part}') for side in ('left', 'right')]].mean(1)
        for part in ('shoulder', 'hip')
    ]
    lengths: np.ndarray = np.linalg.norm(centres[0] - centres[1], axis=-1)
    return lengths


def agreeing(difference: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return which pairs of poses (N,) show the same person in the same pose, by the median distance of their joints.

    Args:
        difference: (N, K, 2) px between the joints of the two poses; NaN where a joint is unknown.
        sizes: (N,) px, torso lengths.
    """
    distances = np.linalg.norm(difference, axis=-1)
    known = np.isfinite(distances).any(-1) & (sizes >= SHORTEST_TORSO_PX)
    found = np.zeros(len(sizes), bool)
    found[known] = np.nanmedian(distances[known], axis=-1) < MOST_DISAGREEMENT * sizes[known]
    return found


def fit_offset(
    joint: str, difference: np.ndarray, vectors: Mapping[str, np.ndarray], sizes: np.ndarray, videos: np.ndarray
) -> JointOffset:
    """Fit the difference of a joint by a sum of vectors with a Huber loss.

    Args:
        joint: Name of the joint.
        difference: (N, 2) px, reference minus converted joint; NaN where one is unknown.
        vectors: Name → (N, 2) px.
        sizes: (N,) px, torso lengths.
        videos: (N,) the video of each pose; poses of one video are left out of the fit together.

    Raises:
        ValueError: Fewer than two videos have the joint.
    """
    stacked = np.stack(list(vectors.values()), axis=-1)  # (N, 2, V)
    known = np.isfinite(difference).all(-1) & np.isfinite(stacked).all((1, 2))
    difference, stacked, sizes, videos = (part[known] for part in (difference, stacked, sizes, videos))
    if len(np.unique(videos)) < 2:
        raise ValueError(f'{joint}: found by both estimators in {len(np.unique(videos))} videos: at least 2 are needed')
    target, design = difference / sizes[:, None], stacked / sizes[:, None, None]
    folds = np.unique(videos, return_inverse=True)[1] % 10
    left_out = np.empty_like(target)
    for fold in np.unique(folds):
        factors = _huber(design[folds != fold], target[folds != fold])
        left_out[folds == fold] = target[folds == fold] - design[folds == fold] @ factors
    lengths = np.linalg.norm(design, axis=1)
    components = np.einsum('nd,ndv->nv', target, design) / np.maximum(lengths, 1e-6)
    return JointOffset(
        joint=joint,
        count=len(target),
        factors=dict(zip(vectors, _huber(design, target).tolist(), strict=True)),
        offsets=dict(zip(vectors, np.median(components, axis=0).tolist(), strict=True)),
        distance=float(np.median(np.linalg.norm(target, axis=-1))),
        fitted_distance=float(np.median(np.linalg.norm(left_out, axis=-1))),
    )


def _huber(design: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the factors (V,) of vectors (N, 2, V) whose sum is closest to the target (N, 2)."""
    rows, values = design.reshape(-1, design.shape[-1]), target.reshape(-1)
    start = np.zeros(design.shape[-1])
    found: np.ndarray = least_squares(lambda x: rows @ x - values, start, loss='huber', f_scale=HUBER_TORSOS).x
    return found
