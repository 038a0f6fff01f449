"""Rotations that turn bones of a rest pose onto bones that were seen. All arrays float64, frames first."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

EULER_ORDER = 'ZXY'
PRIOR_WEIGHT = 1e-5
FREE_TWIST_FROM = np.radians(150.0)  # up to here a swing has no twist; at 180 degrees any
GIMBAL = 1e-6  # cosine of the middle angle below which the outer two turn about one axis


def unit(vectors: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Unit vectors (…, 3), or ``fallback`` where a vector has no length."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(norms > 1e-9, vectors / np.maximum(norms, 1e-9), fallback)


def fitted_rotations(rest: np.ndarray, seen: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Rotations that turn several bones of one joint as near as they can to those seen (Kabsch's closed form).

    Args:
        rest: (n, 3) bones in the rest pose.
        seen: (F, n, 3) bones of every frame.
        prior: (F, 3, 3) rotations that decide, with little weight, what the bones leave open (all on one line).

    Returns:
        (F, 3, 3), least squares over the bones.
    """
    size = max(float((rest**2).sum()), 1e-12)
    covariance = np.einsum('fni,nj->fij', seen, rest) + PRIOR_WEIGHT * size * prior
    left, _, right = np.linalg.svd(covariance)
    left[:, :, 2] *= np.linalg.det(left @ right)[:, None]  # a rotation, not a reflection
    fitted: np.ndarray = left @ right
    return fitted


def swings(rest: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Rotations that turn one bone onto those seen, without twist, and without a jump where the bone points backwards.

    The shortest rotation from ``rest`` to ``seen`` has no twist about the bone, but where the bone passes the
    direction opposite to ``rest`` it flips by up to 180 degrees. Beyond 150 degrees from ``rest`` the twist is
    therefore carried along from frame to frame, as far as ±180 degrees at the opposite direction and ±0 at 150, so
    that it has gone again when the bone comes back.

    Args:
        rest: (3,) direction of the bone in the rest pose, unit length.
        seen: (F, 3) its directions, unit length.

    Returns:
        (F, 3, 3); ``swing @ rest`` is ``seen``.
    """
    shortest = _shortest(np.broadcast_to(rest, seen.shape), seen)
    angles = np.arctan2(np.linalg.norm(np.cross(rest, seen), axis=-1), seen @ rest)
    limits = np.pi * np.maximum(angles - FREE_TWIST_FROM, 0) / (np.pi - FREE_TWIST_FROM)
    # what the shortest rotations twist between two frames, compared with carrying the bone along
    carried = np.swapaxes(shortest[1:], 1, 2) @ _shortest(seen[:-1], seen[1:]) @ shortest[:-1]
    side = _perpendicular(rest[None])[0]
    steps = np.arctan2((carried @ side) @ np.cross(rest, side), (carried @ side) @ side)
    twists = np.zeros(len(seen))
    for frame, step in enumerate(steps, start=1):
        twist = (twists[frame - 1] + step + np.pi) % (2 * np.pi) - np.pi
        twists[frame] = np.clip(twist, -limits[frame], limits[frame])
    turned: np.ndarray = shortest @ Rotation.from_rotvec(twists[:, None] * rest).as_matrix()
    return turned


def euler_angles(rotations: np.ndarray) -> np.ndarray:
    """Angles of ``Z(a) X(b) Y(c)`` (F, …, 3, 3) in degrees, each frame's the nearest to those of the frame before.

    Every rotation has two triples of angles, (a, b, c) and (a + 180, 180 - b, c + 180), and whole turns may be added
    to any: taken at random they jump. At b = ±90 only a ± c is decided, and c stays where it was.

    Returns:
        (F, …, 3) in the order Z, X, Y; unbounded, since a person who turns twice has turned by 720 degrees.
    """
    sine = np.clip(rotations[..., 2, 1], -1, 1)
    cosine = np.hypot(rotations[..., 2, 0], rotations[..., 2, 2])
    locked = cosine < GIMBAL
    middle = np.arctan2(sine, cosine)
    last = np.where(locked, 0.0, np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2]))
    free = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    first = np.where(locked, np.arctan2(rotations[..., 1, 0], rotations[..., 0, 0]), free)
    angles = np.degrees(np.stack([first, middle, last], axis=-1))
    for frame in range(1, len(angles)):
        before, here = angles[frame - 1], angles[frame]
        kept = np.where(locked[frame], before[..., 2], here[..., 2])
        shared = here[..., 0] - np.where(locked[frame], np.sign(sine[frame]) * kept, 0.0)
        one = np.stack([shared, here[..., 1], kept], axis=-1)
        other = one * [1, -1, 1] + 180.0
        one, other = (choice + 360.0 * np.round((before - choice) / 360.0) for choice in (one, other))
        nearer = np.abs(one - before).sum(-1) <= np.abs(other - before).sum(-1)
        angles[frame] = np.where(nearer[..., None], one, other)
    return angles


def _shortest(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The shortest rotations (F, 3, 3) between unit vectors (F, 3); opposite ones by half a turn about some normal."""
    real = 1 + (start * end).sum(-1)
    quaternions = np.column_stack([np.cross(start, end), real])
    opposite = real < 1e-9
    quaternions[opposite] = np.column_stack([_perpendicular(start[opposite]), np.zeros(opposite.sum())])
    rotation: np.ndarray = Rotation.from_quat(quaternions).as_matrix()
    return rotation


def _perpendicular(directions: np.ndarray) -> np.ndarray:
    """Unit vectors at right angles to unit vectors (F, 3)."""
    axes = np.eye(3)[np.abs(directions).argmin(-1)]
    normals = np.cross(directions, axes)
    return normals / np.linalg.norm(normals, axis=-1, keepdims=True)
