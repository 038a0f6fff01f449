"""Joints of CMU motion capture in the Human3.6M order, from its published formats.

The formats are the database's own ASF/AMC; BVH with root ``Hips``, in two spellings of the joint names; and BVH with
root ``hip``, one unified skeleton for all subjects. The maps below convert all of them to the same joint positions;
they were checked on takes that exist in several formats.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from posediff.datasets.converters.asf_amc import AmcMotion, asf_joint_positions
from posediff.datasets.converters.asf_skeleton import CMU_LENGTH, METRES_PER_INCH, AsfSkeleton
from posediff.datasets.converters.bvh import BvhMotion, bvh_joint_frames, position_in_parent
from posediff.structures.skeletons import CMU17

METRES_PER_UNIT = METRES_PER_INCH / CMU_LENGTH
"""Metres per unit of the ``Hips`` BVH, and of ASF/AMC without a stated unit: inches scaled by 0.45."""
LEG = (0.6, 1.1)  # m, hip to ankle
FASTEST_ROOT = 6.5  # m/s; a sprint or a jump reaches 5.5
STRONGEST_PUSH = 250.0  # m/s^2 at the root
FASTEST_LIMB = 40.0  # rad/s; a kick or a throw reaches 30

# Bone ends (``root`` is a point), in the order of CMU17.
_ASF_JOINTS = (
    'root', 'rhipjoint', 'rfemur', 'rtibia', 'lhipjoint', 'lfemur', 'ltibia', 'upperback', 'thorax', 'upperneck',
    'head', 'lclavicle', 'lhumerus', 'lradius', 'rclavicle', 'rhumerus', 'rradius',
)  # fmt: skip

_HIPS_JOINTS = {
    'Chest2': (
        'Hips', 'RightHip', 'RightKnee', 'RightAnkle', 'LeftHip', 'LeftKnee', 'LeftAnkle', 'Chest2', 'Chest2', 'Head',
        'Head_end', 'LeftShoulder', 'LeftElbow', 'LeftWrist', 'RightShoulder', 'RightElbow', 'RightWrist',
    ),
    'Spine1': (
        'Hips', 'RightUpLeg', 'RightLeg', 'RightFoot', 'LeftUpLeg', 'LeftLeg', 'LeftFoot', 'Spine1', 'Spine1', 'Head',
        'Head_end', 'LeftArm', 'LeftForeArm', 'LeftHand', 'RightArm', 'RightForeArm', 'RightHand',
    ),
}  # fmt: skip
_ABOVE_SPINE = slice(8, 17)

# The unified skeleton has other joint centres (its shoulders are 23 cm apart). Trunk: points in a joint's frame, cm,
# fitted by least squares, left and right averaged, to the database's own joints over ten takes in both formats.
# Limbs: the directions of this skeleton with the lengths (m) of those takes. Mean remaining distance: 33 mm.
_UNIFIED_TRUNK = {
    0: ('hip', (0.0, 10.0, -7.6)),
    1: ('hip', (-10.0, 0.9, -2.8)),
    4: ('hip', (10.0, 0.9, -2.8)),
    7: ('abdomen', (0.0, 11.8, -5.1)),
    8: ('chest', (0.0, 12.9, -3.1)),
    9: ('neck', (0.0, 11.2, -3.4)),
    10: ('head', (0.0, 15.9, 0.0)),
    11: ('lCollar', (15.7, 1.6, 2.0)),
    14: ('rCollar', (-15.7, 1.6, 2.0)),
}
_UNIFIED_LIMBS = {
    2: ('rThigh', 'rShin', 0.41),
    3: ('rShin', 'rFoot', 0.43),
    5: ('lThigh', 'lShin', 0.41),
    6: ('lShin', 'lFoot', 0.43),
    12: ('lShldr', 'lForeArm', 0.305),
    13: ('lForeArm', 'lHand', 0.185),
    15: ('rShldr', 'rForeArm', 0.305),
    16: ('rForeArm', 'rHand', 0.185),
}
_UNIFIED_LEAD = 2  # frames of T-pose at the beginning

_LIMB_CHILDREN = (2, 3, 5, 6, 12, 13, 15, 16)
_LIMBS = np.array([segment for segment in CMU17.segments if segment[0] in _LIMB_CHILDREN])


def to_z_up(points: np.ndarray) -> np.ndarray:
    """Convert (..., 3) from y up to z up, both right-handed."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


def joints_of_asf(
    skeleton: AsfSkeleton, motion: AmcMotion, path: Path, metres_per_unit: float | None = None
) -> np.ndarray:
    """Return the joints (F, 17, 3) in metres, z up.

    Args:
        skeleton: From :func:`~posediff.datasets.converters.asf_skeleton.read_asf`.
        motion: From :func:`~posediff.datasets.converters.asf_amc.read_amc`.
        path: The skeleton file, for errors.
        metres_per_unit: Unit of the files; None uses the skeleton's.

    Raises:
        ValueError: The skeleton is not CMU's.
    """
    positions = asf_joint_positions(skeleton, motion)
    _require(positions, _ASF_JOINTS, path)
    unit = skeleton.metres_per_unit if metres_per_unit is None else metres_per_unit
    return to_z_up(np.stack([positions[name] for name in _ASF_JOINTS], axis=1)) * unit


def joints_of_bvh(motion: BvhMotion, metres_per_unit: float | None = None) -> tuple[np.ndarray, str]:
    """Return the joints of a BVH conversion, and the change applied.

    The ``Hips`` conversions lack the thorax bone, which places head and arms about 12 cm too low. It is inserted as a
    copy of the bone below it in their common frame (in CMU's own skeletons the two differ by at most 13 mm). The
    ``hip`` conversion begins with two frames of T-pose, which are dropped.

    Args:
        motion: From :func:`read_bvh`.
        metres_per_unit: Unit of the file; None uses that of the conversion (BVH does not state units).

    Returns:
        (F, 17, 3) metres, z up; description of the change.

    Raises:
        ValueError: The file is not a known conversion.
    """
    positions, rotations = bvh_joint_frames(motion)
    present = {_spelling_key(name) for name in positions}
    if 'hips' not in present:
        names = (
            *(name for name, _ in _UNIFIED_TRUNK.values()),
            *(name for start, end, _ in _UNIFIED_LIMBS.values() for name in (start, end)),
        )
        positions, rotations = _named(positions, names), _named(rotations, names)
        _require(positions, names, motion.path)
        _check_upright(motion)
        if metres_per_unit is not None:  # the fitted constants are in cm
            positions = {name: 100 * metres_per_unit * values for name, values in positions.items()}
        joints = to_z_up(_unified_joints(positions, rotations))[_UNIFIED_LEAD:]
        return joints, 'leading T-pose dropped, joints refitted'
    upper_spine = 'Chest2' if 'chest2' in present else 'Spine1'
    names = _HIPS_JOINTS[upper_spine]
    positions, rotations = _named(positions, names), _named(rotations, names)
    _require(positions, names, motion.path)
    _check_upright(motion)
    unknown = [name for name in ('spine2', 'spine3', 'chest3') if name in present]
    if unknown:
        raise ValueError(f'{motion.path}: not a known format of CMU data: unknown joint {", ".join(unknown)}')
    joints = np.stack([positions[name] for name in names], axis=1)
    spine = next(joint for joint in motion.joints if _spelling_key(joint.name) == _spelling_key(upper_spine))
    bone = position_in_parent(motion, spine)
    joints[:, _ABOVE_SPINE] += (rotations[upper_spine] @ bone[..., None])[:, None, :, 0]
    unit = METRES_PER_UNIT if metres_per_unit is None else metres_per_unit
    return to_z_up(joints) * unit, 'missing thorax bone inserted'


def _named(values: dict[str, np.ndarray], names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Rename joints to ``names``, ignoring case and separators."""
    spelling = {_spelling_key(name): name for name in names}
    return {spelling.get(_spelling_key(name), name): value for name, value in values.items()}


def _spelling_key(name: str) -> str:
    """Return a joint name in lower case without spaces and separators."""
    return re.sub(r'[\s_.-]+', '', name.lower())


def _check_upright(motion: BvhMotion) -> None:
    """Raise if the rest pose does not stand along y: the file is from a program with z up."""
    index = next(index for index, joint in enumerate(motion.joints) if _spelling_key(joint.name) == 'head')
    rest = np.zeros(3)
    while motion.joints[index].parent >= 0:
        rest += motion.joints[index].offset
        index = motion.joints[index].parent
    if np.abs(rest).max() > max(rest[1], 0.0):
        raise ValueError(
            f'{motion.path}: in its rest pose the head is at ({", ".join(f"{value:.4g}" for value in rest)}) from the '
            'root: y has to be up'
        )


def _unified_joints(positions: dict[str, np.ndarray], rotations: dict[str, np.ndarray]) -> np.ndarray:
    """Return the joints (F, 17, 3) in metres, y up."""
    joints = np.empty((len(positions['hip']), CMU17.num_joints, 3))
    for index, (name, point) in _UNIFIED_TRUNK.items():
        joints[:, index] = 0.01 * (positions[name] + rotations[name] @ np.array(point))
    for index, (start, end, length) in _UNIFIED_LIMBS.items():
        direction = positions[end] - positions[start]
        direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
        joints[:, index] = joints[:, CMU17.parents[index]] + length * direction
    return joints


def _require(positions: dict[str, np.ndarray], names: tuple[str, ...], path: Path) -> None:
    missing = sorted(set(names) - positions.keys())
    if missing:
        raise ValueError(f'{path}: not a known format of CMU data, joints {", ".join(missing)} are missing')


def defect_of(joints: np.ndarray, fps: float) -> str | None:
    """Return the reason why a take is unusable, or None if it is usable.

    Args:
        joints: (F, 17, 3) metres, z up.
        fps: Frame rate.

    Returns:
        The first defect found, in this order: positions that are not finite; implausible leg length; jump of the root;
        limb of variable length; knees that bend backwards (left and right exchanged).
    """
    if not np.isfinite(joints).all():
        return 'has NaN or infinite positions'
    limbs = joints[:, _LIMBS[:, 0]] - joints[:, _LIMBS[:, 1]]
    lengths = np.linalg.norm(limbs, axis=-1)
    leg = lengths[:, :2].mean(0).sum()
    if not LEG[0] < leg < LEG[1]:
        return (
            f'its leg (hip to ankle) measures {leg:.3g} m, expected {LEG[0]:g} to {LEG[1]:g}: is the file in another '
            'unit? Set --units'
        )
    if len(joints) > 2:
        velocity = np.diff(joints[:, 0], axis=0) * fps
        speed = np.linalg.norm(velocity, axis=-1)
        push = np.linalg.norm(np.diff(velocity, axis=0), axis=-1) * fps
        if speed.max() > FASTEST_ROOT or push.max() > STRONGEST_PUSH:
            return f'its root jumps: {speed.max():.1f} m/s, {push.max():.0f} m/s^2 near frame {int(speed.argmax())}'
    if lengths.std(0).max() > 0.002:
        return f'a limb changes its length by {lengths.std(0).max() * 1000:.0f} mm (standard deviation)'
    # The axis of a knee, from thigh to shank, points to the person's left.
    to_left = joints[:, 4] - joints[:, 1]
    axes = np.cross(limbs[:, (0, 2)], limbs[:, (1, 3)]).sum(1)
    if (axes * to_left).sum(-1).mean() < 0:
        return 'its knees bend backwards: left and right are exchanged'
    return None


def smooth_stretches(joints: np.ndarray, fps: float, shortest: float = 1.0) -> list[tuple[int, int]]:
    """Split a take at limb flips between two frames, which are tracking errors.

    Args:
        joints: (F, 17, 3).
        fps: Frame rate.
        shortest: Minimum duration of an interval between two cuts, s.

    Returns:
        (begin, end) frames of each interval; ``[(0, F)]`` for a clean take of any length.
    """
    limbs = joints[:, _LIMBS[:, 0]] - joints[:, _LIMBS[:, 1]]
    limbs = limbs / np.linalg.norm(limbs, axis=-1, keepdims=True)
    cosine = np.clip((limbs[1:] * limbs[:-1]).sum(-1), -1, 1)
    flips = np.flatnonzero((np.arccos(cosine) * fps > FASTEST_LIMB).any(1)) + 1
    if not len(flips):
        return [(0, len(joints))]
    edges = [0, *flips.tolist(), len(joints)]
    return [(begin, end) for begin, end in zip(edges, edges[1:], strict=False) if end - begin >= shortest * fps]
