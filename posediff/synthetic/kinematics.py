"""Forward kinematics of ``cmu17`` from joint angles, with constant bone lengths and feet that do not slide."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from posediff.structures.skeletons import CMU17

ANKLE_HEIGHT = 0.07  # m
AIRBORNE = 0.06  # m; above it a foot has no contact and the body moves vertically
STANCE_SHARPNESS = 0.008  # m; a foot lower by a few times this is the stance foot

# Offsets from the parent joint when standing, facing +x, left +y, up +z; metres, for a stature of 1.75 m.
REST = {
    'left_hip': (0.03, 0.092, -0.095), 'left_knee': (0.0, 0.0, -0.41), 'left_foot': (0.0, 0.0, -0.42),
    'spine': (0.0, 0.0, 0.235), 'thorax': (0.0, 0.0, 0.118), 'neck_base': (0.01, 0.0, 0.19), 'head': (0.02, 0.0, 0.097),
    'left_shoulder': (-0.005, 0.185, 0.06), 'left_elbow': (0.0, 0.0, -0.29), 'left_wrist': (0.0, 0.0, -0.2),
}  # fmt: skip


@dataclass
class Angles:
    """Joint angles over F frames, in radians; 0 is standing upright with hanging arms.

    Attributes:
        frames: F.
        lean, sway, twist: (F,) angles of the trunk: forward, to the right, to the left.
        nod: (F,) angle of the neck, forward.
        hip, hip_out, knee: (F, 2) of the left and the right leg: forward, sideways, flexion.
        shoulder, shoulder_out, shoulder_turn, elbow: (F, 2) of the arms: forward, sideways, about their axis, flexion.
        heading: (F,) rotation to the left of +x.
        lift: (F,) height in m of the lower foot above the ground.
    """

    frames: int
    lean: np.ndarray = field(init=False)
    sway: np.ndarray = field(init=False)
    twist: np.ndarray = field(init=False)
    nod: np.ndarray = field(init=False)
    heading: np.ndarray = field(init=False)
    lift: np.ndarray = field(init=False)
    hip: np.ndarray = field(init=False)
    hip_out: np.ndarray = field(init=False)
    knee: np.ndarray = field(init=False)
    shoulder: np.ndarray = field(init=False)
    shoulder_out: np.ndarray = field(init=False)
    shoulder_turn: np.ndarray = field(init=False)
    elbow: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        for name in ('lean', 'sway', 'twist', 'nod', 'heading', 'lift'):
            setattr(self, name, np.zeros(self.frames))
        for name in ('hip', 'hip_out', 'knee', 'shoulder', 'shoulder_out', 'shoulder_turn', 'elbow'):
            setattr(self, name, np.zeros((self.frames, 2)))


def draw_proportions(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Sample offsets (3,) in metres from each joint's parent, both sides, for statures of about 1.5 to 1.95 m."""
    stature = float(np.clip(rng.normal(1.72, 0.09), 1.5, 1.95)) / 1.75
    limbs, girdle = rng.normal(1.0, 0.03, 2), rng.normal(1.0, 0.06)
    offsets = {}
    for name, rest in REST.items():
        factor = stature
        if name.endswith(('knee', 'foot')):
            factor *= limbs[0]
        if name.endswith(('elbow', 'wrist')):
            factor *= limbs[1]
        offset = factor * np.array(rest)
        if name.endswith(('hip', 'shoulder')):
            offset[1] *= girdle
        offsets[name] = offset
        if name.startswith('left'):
            offsets[name.replace('left', 'right')] = offset * [1, -1, 1]
    return offsets


def pose_skeleton(offsets: dict[str, np.ndarray], angles: Angles) -> np.ndarray:
    """Return the joints of a body with the given angles.

    The stance foot does not slide, so leg swings produce walking; ``lift`` produces jumps.

    Args:
        offsets: (3,) metres of each joint from its parent, see :func:`draw_proportions`.
        angles: Joint angles over F frames.

    Returns:
        (F, 17, 3) float64 metres, z up, the first root above the origin, ground at 0.
    """
    frames = angles.frames
    turn = Rotation.from_euler('z', angles.heading[:, None])
    hips = turn * Rotation.from_euler('yx', np.stack([0.25 * angles.lean, 0.3 * angles.sway], 1))
    chest = turn * Rotation.from_euler('zyx', np.stack([angles.twist, angles.lean, angles.sway], 1))
    neck = chest * Rotation.from_euler('y', angles.nod[:, None])
    at = {'root': np.zeros((frames, 3))}

    def place(name: str, parent: str, rotation: Rotation) -> None:
        at[name] = at[parent] + rotation.apply(offsets[name])

    place('spine', 'root', Rotation.from_quat(0.5 * (hips.as_quat() + _same_hemisphere(chest, hips))))
    place('thorax', 'spine', chest)
    place('neck_base', 'thorax', chest)
    place('head', 'neck_base', neck)
    for index, (side, sign) in enumerate((('left', 1), ('right', -1))):
        leg = hips * _joint(sign * angles.hip_out[:, index], angles.hip[:, index])
        place(f'{side}_hip', 'root', hips)
        place(f'{side}_knee', f'{side}_hip', leg)
        place(f'{side}_foot', f'{side}_knee', leg * Rotation.from_euler('y', angles.knee[:, index, None]))
        arm = chest * _joint(sign * angles.shoulder_out[:, index], angles.shoulder[:, index])
        arm = arm * Rotation.from_euler('z', sign * angles.shoulder_turn[:, index, None])
        place(f'{side}_shoulder', 'thorax', chest)
        place(f'{side}_elbow', f'{side}_shoulder', arm)
        place(f'{side}_wrist', f'{side}_elbow', arm * Rotation.from_euler('y', -angles.elbow[:, index, None]))
    joints = np.stack([at[name] for name in CMU17.joint_names], axis=1)
    return joints + _root_positions(np.stack([at['left_foot'], at['right_foot']], 1), angles.lift)[:, None]


def _joint(outward: np.ndarray, forward: np.ndarray) -> Rotation:
    """Return the rotations of a hip or shoulder by two angles (F,) each, radians: sideways about x, forward about y."""
    return Rotation.from_euler('xy', np.stack([outward, -forward], 1))


def _same_hemisphere(rotation: Rotation, other: Rotation) -> np.ndarray:
    """Return quaternions (F, 4) of ``rotation``, with the sign that makes their dot product with ``other`` positive."""
    quaternion = rotation.as_quat()
    return quaternion * np.where((quaternion * other.as_quat()).sum(1, keepdims=True) < 0, -1, 1)


def _root_positions(feet: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """Return root positions (F, 3) for which the lower foot does not slide and is ``lift`` above the ground.

    Args:
        feet: (F, 2, 3) m, positions of the feet relative to the root.
        lift: (F,) m, height of the lower foot above the ground.
    """
    height = feet[..., 2]
    lowest = height.min(1)
    weight = np.exp(-(height - lowest[:, None]) / STANCE_SHARPNESS)
    weight /= weight.sum(1, keepdims=True)
    step = -(np.diff(feet[..., :2], axis=0) * weight[1:, :, None]).sum(1)
    step[lift[1:] > AIRBORNE] = 0
    root = np.zeros((len(feet), 3))
    root[1:, :2] = np.cumsum(step, axis=0)
    root[:, 2] = ANKLE_HEIGHT + lift - lowest
    return root
