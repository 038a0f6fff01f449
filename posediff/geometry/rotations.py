"""Rotations from bones of a rest pose to observed bones. All arrays are float64 with the frame axis first."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

EULER_ORDER = 'ZXY'
PRIOR_WEIGHT = 1e-5
FREE_TWIST_FROM = np.radians(150.0)  # below, a swing has no twist; the allowed twist grows to any angle at 180 degrees
GIMBAL = 1e-6  # cosine of the middle angle below which the outer two angles have the same axis


def unit(vectors: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Return unit vectors (…, 3), or ``fallback`` for vectors of zero length."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(norms > 1e-9, vectors / np.maximum(norms, 1e-9), fallback)


def fitted_rotations(rest: np.ndarray, seen: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the rotations that best align several bones of one joint with the observed bones (Kabsch, closed form).

    Args:
        rest: (n, 3) bones in the rest pose.
        seen: (F, n, 3) observed bones per frame.
        prior: (F, 3, 3) rotations with a small weight that resolve what the bones leave open (all on one line).

    Returns:
        (F, 3, 3), the least-squares solution over the bones.
        (F, 3, 3), least squares over the bones.
    """
    size = max(float((rest**2).sum()), 1e-12)
    covariance = np.einsum('fni,nj->fij', seen, rest) + PRIOR_WEIGHT * size * prior
    left, _, right = np.linalg.svd(covariance)
    left[:, :, 2] *= np.linalg.det(left @ right)[:, None]  # exclude reflections
    fitted: np.ndarray = left @ right
    return fitted


def swings(rest: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return rotations from one bone to its observed directions, without twist and without jumps near the antipode.

    The shortest rotation from ``rest`` to ``seen`` has no twist about the bone, but flips by up to 180 degrees when the
    bone passes the direction opposite to ``rest``. Beyond 150 degrees from ``rest`` the twist is therefore carried over
    from frame to frame. Its limit grows linearly from 0 at 150 degrees to ±180 at 180 degrees, so the twist vanishes
    when the bone returns.

    Args:
        rest: (3,) unit direction of the bone in the rest pose.
        seen: (F, 3) observed unit directions.

    Returns:
        (F, 3, 3); ``swing @ rest`` equals ``seen``.
    """
    shortest = _shortest(np.broadcast_to(rest, seen.shape), seen)
    angles = np.arctan2(np.linalg.norm(np.cross(rest, seen), axis=-1), seen @ rest)
    limits = np.pi * np.maximum(angles - FREE_TWIST_FROM, 0) / (np.pi - FREE_TWIST_FROM)
    # twist of the shortest rotations between two frames, relative to parallel transport of the bone
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
    """Return the angles of rotations ``Z(a) X(b) Y(c)`` (F, …, 3, 3) in degrees, continuous over the frames.

    Every rotation has two angle triples, (a, b, c) and (a + 180, 180 - b, c + 180), each up to full turns. The triple
    nearest to the previous frame is chosen. At b = ±90 only a ± c is determined, and c keeps its previous value.

    Returns:
        (F, …, 3) in the order Z, X, Y; unbounded, e.g. 720 degrees after two turns.
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
    """Return the shortest rotations (F, 3, 3) between unit vectors (F, 3); for opposite vectors, any half turn."""
    real = 1 + (start * end).sum(-1)
    quaternions = np.column_stack([np.cross(start, end), real])
    opposite = real < 1e-9
    quaternions[opposite] = np.column_stack([_perpendicular(start[opposite]), np.zeros(opposite.sum())])
    rotation: np.ndarray = Rotation.from_quat(quaternions).as_matrix()
    return rotation


def _perpendicular(directions: np.ndarray) -> np.ndarray:
    """Return unit vectors perpendicular to unit vectors (F, 3)."""
    axes = np.eye(3)[np.abs(directions).argmin(-1)]
    normals = np.cross(directions, axes)
    return normals / np.linalg.norm(normals, axis=-1, keepdims=True)
