"""Rotations from bones of a rest pose to observed bones. All arrays are float64 with the frame axis first."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

EULER_ORDER = 'ZXY'
PRIOR_WEIGHT = 1e-5  # weight of the prior rotation relative to that of the bones
# angle from the rest direction, rad, up to which a swing has no twist; the limit then grows linearly to ±180 degrees
FREE_TWIST_FROM = np.radians(150.0)
GIMBAL = 1e-6  # cosine of the middle angle below which the outer two angles have the same axis


def unit(vectors: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Return unit vectors (…, D), or ``fallback`` (D,) for vectors of zero length."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(norms > 1e-9, vectors / np.maximum(norms, 1e-9), fallback)


def fitted_rotations(rest: np.ndarray, seen: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the rotations that best align several bones of one joint with the observed bones (Kabsch, closed form).

    Args:
        rest: (n, 3) bones in the rest pose.
        seen: (F, n, 3) observed bones per frame.
        prior: (F, 3, 3) rotations with a small weight, which determine the rotation about the bones if all bones are on
            one line.

    Returns:
        (F, 3, 3), the least-squares solution over the bones.
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
    bone passes the direction opposite to ``rest``. Beyond 150 degrees from ``rest``, the twist of the previous frame is
    therefore continued. Its limit grows linearly from 0 at 150 degrees to ±180 at 180 degrees, so the twist vanishes
    when the bone returns.

    Args:
        rest: (3,) unit direction of the bone in the rest pose.
        seen: (F, 3) observed unit directions.

    Returns:
        (F, 3, 3); ``swing @ rest`` equals ``seen``.
    """
    return ContinuousSwings(rest)(seen)


class ContinuousSwings:
    """:func:`swings` of a bone over consecutive blocks of frames: each call continues the twist of the one before.

    Args:
        rest: (3,) unit direction of the bone in the rest pose.
    """

    def __init__(self, rest: np.ndarray) -> None:
        self.rest = rest
        self._side = _perpendicular(rest[None])[0]
        self._before: tuple[np.ndarray, np.ndarray, float] | None = None  # direction, shortest rotation, twist

    def __call__(self, seen: np.ndarray) -> np.ndarray:
        """Return rotations (F, 3, 3) from the rest pose to the next observed unit directions (F, 3)."""
        rest, side = self.rest, self._side
        shortest = _shortest(np.broadcast_to(rest, seen.shape), seen)
        angles = np.arctan2(np.linalg.norm(np.cross(rest, seen), axis=-1), seen @ rest)
        limits = np.pi * np.maximum(angles - FREE_TWIST_FROM, 0) / (np.pi - FREE_TWIST_FROM)
        direction, rotation, twist = self._before or (seen[0], shortest[0], 0.0)
        directions = np.concatenate([direction[None], seen])
        turned = np.concatenate([rotation[None], shortest])
        # twist of the shortest rotations between two frames, relative to parallel transport of the bone
        carried = np.swapaxes(shortest, 1, 2) @ _shortest(directions[:-1], seen) @ turned[:-1]
        steps = np.arctan2((carried @ side) @ np.cross(rest, side), (carried @ side) @ side)
        twists = np.empty(len(seen))
        for frame, step in enumerate(steps.tolist()):
            free = (twist + step + np.pi) % (2 * np.pi) - np.pi
            twist = twists[frame] = min(max(free, -limits[frame]), limits[frame])
        self._before = seen[-1], shortest[-1], float(twist)
        result: np.ndarray = shortest @ Rotation.from_rotvec(twists[:, None] * rest).as_matrix()
        return result


def euler_angles(rotations: np.ndarray) -> np.ndarray:
    """Return the angles of rotations ``Z(a) X(b) Y(c)`` (F, …, 3, 3) in degrees, continuous over the frames.

    Every rotation has two angle triples, (a, b, c) and (a + 180, 180 - b, c + 180), each up to full turns. The triple
    nearest to the previous frame is chosen. At b = ±90 only a ± c is determined, and c keeps its previous value.

    Returns:
        (F, …, 3) in the order Z, X, Y; unbounded, e.g. 720 degrees after two turns.
    """
    return ContinuousEulerAngles()(rotations)


class ContinuousEulerAngles:
    """:func:`euler_angles` over consecutive blocks of frames: each call continues the angles of the one before."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None

    def __call__(self, rotations: np.ndarray) -> np.ndarray:
        """Return the angles (F, …, 3) of the next rotations (F, …, 3, 3), in degrees."""
        sine = np.clip(rotations[..., 2, 1], -1, 1)
        cosine = np.hypot(rotations[..., 2, 0], rotations[..., 2, 2])
        locked = cosine < GIMBAL
        middle = np.arctan2(sine, cosine)
        last = np.where(locked, 0.0, np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2]))
        free = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
        first = np.where(locked, np.arctan2(rotations[..., 1, 0], rotations[..., 0, 0]), free)
        angles = np.degrees(np.stack([first, middle, last], axis=-1))
        before = self._before
        for frame, here in enumerate(angles):
            if before is not None:
                angles[frame] = _nearest(here, before, locked[frame], np.sign(sine[frame]))
            before = angles[frame]
        self._before = None if before is None else before.copy()
        return angles


def _nearest(here: np.ndarray, before: np.ndarray, locked: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Return the angles (…, 3) of the same rotations as ``here`` that are nearest to those ``before``."""
    kept = np.where(locked, before[..., 2], here[..., 2])
    shared = here[..., 0] - np.where(locked, sign * kept, 0.0)
    one = np.stack([shared, here[..., 1], kept], axis=-1)
    other = one * [1, -1, 1] + 180.0
    one, other = (choice + 360.0 * np.round((before - choice) / 360.0) for choice in (one, other))
    nearer = np.abs(one - before).sum(-1) <= np.abs(other - before).sum(-1)
    return np.where(nearer[..., None], one, other)


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
    return unit(normals, np.zeros(3))
