"""Estimate the up direction in camera axes, and rotate to file axes with y up."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from posediff.geometry.rotations import unit
from posediff.structures.skeletons import Skeleton

ASSUMED_UP = np.array([0.0, -1.0, 0.0])
CAMERA_TO_Y_UP = np.diag([1.0, -1.0, -1.0])  # from y down, z forward to y up, z backward: a half turn about x

FEET = (('left_foot', 'right_foot'), ('left_ankle', 'right_ankle'))
HEADS = (('head',), ('head_top',), ('left_ear', 'right_ear'), ('nose',))

MIN_FRAMES = 10  # number of standing frames
MAX_FRAMES = 20_000  # number of examined frames
MAX_KNEE_BEND = 35.0  # degrees, of the straighter leg
MAX_TRUNK_BEND = 35.0  # degrees, between trunk and legs
MAX_SPREAD = 15.0  # degrees, median over the standing frames
MAX_TILT = 60.0  # degrees from the image's up direction; beyond it the person may be lying
MIN_WALK = 300.0  # mm, standard deviation of the feet along a direction of the ground
GROUND_NOISE = 20.0  # mm, residual of the ground fit up to which the loss is about quadratic
MAX_GROUND_RESIDUAL = 50.0  # mm, median residual of the ground fit
MAX_CORRECTION = 20.0  # degrees between body axis and ground normal


@dataclass(frozen=True)
class UpEstimate:
    """The estimated up direction.

    Attributes:
        up: (3,) unit vector against gravity, camera axes.
        source: ``'estimated'``, or ``'assumed'`` if it cannot be estimated from the motion.
        note: How it was estimated, or why it was not.
    """

    up: np.ndarray
    source: str
    note: str


def level_rotation(up: np.ndarray) -> np.ndarray:
    """Return the smallest rotation from camera axes to those of a level camera at the same position.

    For a camera that is upside down this is a half turn about the optical axis.

    Args:
        up: (3,) unit vector, camera axes.

    Returns:
        (3, 3); ``rotation @ up`` equals (0, -1, 0).
    """
    axis = np.cross(up, ASSUMED_UP)
    sine, cosine = float(np.linalg.norm(axis)), float(up @ ASSUMED_UP)
    axis = axis / sine if sine > 1e-9 else np.array([0.0, 0.0, 1.0])
    rotation: np.ndarray = Rotation.from_rotvec(axis * np.arctan2(sine, cosine)).as_matrix()
    return rotation


def y_up_rotation(up: np.ndarray) -> np.ndarray:
    """Return the rotation from camera axes to file axes: x right, y up, z towards the levelled camera.

    Args:
        up: (3,) unit vector, camera axes.

    Returns:
        (3, 3); ``rotation @ up`` equals (0, 1, 0).
    """
    return CAMERA_TO_Y_UP @ level_rotation(up)


def estimate_up(joints_3d: np.ndarray, skeleton: Skeleton, used: np.ndarray | None = None) -> UpEstimate:
    """Estimate the up direction from standing poses and the ground that the person walks on.

    The initial estimate is the median direction from the feet to the head over all standing frames (one leg straight,
    trunk in line with the legs). If the person also walks, a robust ground fit to the lower foot of each frame corrects
    the estimate along the walked directions.

    A level camera is assumed if required joints are missing, too few frames show the person standing, these frames
    disagree, or the result is more than 60 degrees from the image's up direction: a lying person cannot be
    distinguished from a rotated camera.

    Of more than 20,000 frames, evenly spaced ones are used: memory does not grow with the motion.

    Args:
        joints_3d: (F, K, 3) mm, camera axes, NaN if unknown. Walking is used only if the joints include the motion of
            the root, i.e. are not relative to it.
        skeleton: Skeleton of the joints.
        used: (F, K) bool, False for joints to ignore; None: all are used.

    Returns:
        The up direction with its source: ``'estimated'``, or ``'assumed'`` with ``(0, -1, 0)``, a level camera.
    """
    every = max(1, math.ceil(len(joints_3d) / MAX_FRAMES))
    joints = np.asarray(joints_3d[::every], dtype=np.float64)
    if used is not None:
        joints = np.where(used[::every, :, None], joints, np.nan)
    try:
        points = _body_points(joints, skeleton)
    except ValueError as error:
        return _assumed(str(error))
    stands = _standing(points)
    if stands.sum() < MIN_FRAMES:
        return _assumed(f'the person stands in {stands.sum()} frames, {MIN_FRAMES} are needed')
    directions = _direction(points['head'] - points['feet'])[stands]
    body = _median_direction(directions)
    spread = float(np.median(_angle(directions, body)))
    if spread > MAX_SPREAD:
        return _assumed(f'the body axis turns too much while standing ({spread:.0f} degrees in the median)')
    tilt = float(_angle(body, ASSUMED_UP))
    if tilt > MAX_TILT:
        return _assumed(f"the body axis is {tilt:.0f} degrees from the image's up: the person lies, or the camera does")
    note = f'median direction from feet to head over {stands.sum()} standing frames, spread {spread:.1f} degrees'
    if every > 1:
        note += f'; one frame in {every} was examined'
    return _correct_by_ground(points['foot_pair'], body, note)


def _correct_by_ground(foot_pair: np.ndarray, body: np.ndarray, note: str) -> UpEstimate:
    """Correct ``body`` so that the ground under the lower foot of each frame is level; ``foot_pair`` is (F, 2, 3)."""
    pair = foot_pair[np.isfinite(foot_pair).all((-2, -1))]
    lower = np.take_along_axis(pair, (pair @ body).argmin(-1)[:, None, None], axis=1)[:, 0]
    centred = lower - np.median(lower, axis=0)
    heights = centred @ body
    level = centred - heights[:, None] * body
    _, spreads, axes = np.linalg.svd(level / np.sqrt(len(level)), full_matrices=False)
    walked = axes[:2][spreads[:2] >= MIN_WALK]
    if len(walked) == 0:
        return UpEstimate(body, 'estimated', f'{note}; the feet do not move far enough to show the ground')
    design = np.column_stack([centred @ walked.T, np.ones(len(centred))])
    fit = least_squares(
        lambda slopes: design @ slopes - heights, np.zeros(design.shape[1]), loss='soft_l1', f_scale=GROUND_NOISE
    )
    residual = float(np.median(np.abs(fit.fun)))
    up = _direction(body - fit.x[:-1] @ walked)
    correction = float(_angle(up, body))
    found = f'ground under the feet along {len(walked)} direction(s), {correction:.1f} degrees from the body axis'
    if residual > MAX_GROUND_RESIDUAL or correction > MAX_CORRECTION:
        return UpEstimate(body, 'estimated', f'{note}; not used: {found}, residual {residual:.0f} mm')
    return UpEstimate(up, 'estimated', f'{note}; corrected by the {found}, residual {residual:.0f} mm')


def _body_points(joints: np.ndarray, skeleton: Skeleton) -> dict[str, np.ndarray]:
    """Return the points (F, 3) used by the estimate, by name; ``foot_pair`` is (F, 2, 3)."""
    names = skeleton.joint_names
    feet = next((pair for pair in FEET if set(pair) <= set(names)), None)
    head = next((group for group in HEADS if set(group) <= set(names)), None)
    pairs = {part: (f'left_{part}', f'right_{part}') for part in ('hip', 'knee', 'shoulder')}
    missing = [part for part, pair in pairs.items() if not set(pair) <= set(names)]
    missing += [part for part, found in (('foot or ankle', feet), ('head', head)) if found is None]
    if feet is None or head is None or missing:
        raise ValueError(f'the skeleton {skeleton.name!r} lacks {", ".join(missing)}')

    def pick(group: tuple[str, ...]) -> np.ndarray:
        return joints[:, [names.index(name) for name in group]]

    foot_pair = pick(feet)
    return {
        'foot_pair': foot_pair,
        'feet': foot_pair.mean(1),
        'head': pick(head).mean(1),
        'hips': pick(pairs['hip']).mean(1),
        'shoulders': pick(pairs['shoulder']).mean(1),
        'bends': _angle(
            _direction(pick(pairs['knee']) - pick(pairs['hip'])), _direction(foot_pair - pick(pairs['knee']))
        ),
    }


def _standing(points: dict[str, np.ndarray]) -> np.ndarray:
    """Return (F,) bool, the frames in which the person stands; False if a required joint is unknown."""
    trunk = _direction(points['shoulders'] - points['hips'])
    legs = _direction(points['hips'] - points['feet'])
    straight = np.fmin(*points['bends'].T) <= MAX_KNEE_BEND
    seen = np.isfinite(points['head'] + points['feet']).all(-1)
    return straight & seen & (_angle(trunk, legs) <= MAX_TRUNK_BEND)


def _median_direction(directions: np.ndarray) -> np.ndarray:
    """Return the geometric median direction of unit vectors (N, 3) (Weiszfeld's iteration)."""
    median = _direction(np.median(directions, axis=0))
    for _ in range(20):
        weights = 1 / np.maximum(np.linalg.norm(directions - median, axis=-1), 1e-6)
        median = _direction(weights @ directions)
    return median


def _assumed(reason: str) -> UpEstimate:
    return UpEstimate(ASSUMED_UP.copy(), 'assumed', f'a level camera is assumed: {reason}')


def _direction(vectors: np.ndarray) -> np.ndarray:
    """Return unit vectors (…, 3); NaN for vectors of zero length."""
    return unit(vectors, np.full(3, np.nan))


def _angle(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the angle between unit vectors (…, 3), degrees."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(first, second), axis=-1), (first * second).sum(-1)))
