"""Solids of a body and PoseTrack's keypoints, from the 17 joints of ``cmu17``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.structures.skeletons import CMU17
from posediff.synthetic.solids import Solid
from posediff.synthetic.vectors import cross, unit
from posediff.synthetic.wardrobe import Looks

JOINT = {name: index for index, name in enumerate(CMU17.joint_names)}
# Sizes of an average adult, mm; bodies are scaled by stature.
AVERAGE_STATURE = 1750.0
HEAD_TOP, NOSE, CHIN = 122.0, 104.0, -98.0  # relative to the head joint, between the ears
SOLE = 70.0  # height of the ankle above the ground


@dataclass(frozen=True)
class Axes:
    """Directions of a body part: unit vectors (3,)."""

    front: np.ndarray
    left: np.ndarray
    up: np.ndarray

    @classmethod
    def of(cls, left: np.ndarray, up: np.ndarray) -> Axes:
        """Return orthogonal directions from the left direction, which is kept, and an approximate up direction."""
        left = unit(left)
        front = unit(cross(left, up))
        return cls(front, left, cross(front, left))

    def turned(self, yaw: float, pitch: float) -> Axes:
        """Return the axes rotated left by ``yaw``, then up by ``pitch``; radians."""
        front = np.cos(yaw) * self.front + np.sin(yaw) * self.left
        left = cross(self.up, front)
        front, up = np.cos(pitch) * front + np.sin(pitch) * self.up, np.cos(pitch) * self.up - np.sin(pitch) * front
        return Axes(front, left, up)


def stature_of(joints: np.ndarray) -> float:
    """Return the stature, estimated from the mean lengths of the bones between sole and crown.

    Args:
        joints: (F, 17, 3) of ``cmu17``, any unit.

    Returns:
        The stature in the unit of the joints.
    """
    chain = ('right_foot', 'right_knee', 'right_hip'), ('root', 'spine', 'thorax', 'neck_base', 'head')
    bones = [pair for names in chain for pair in zip(names, names[1:], strict=False)]
    length = sum(np.linalg.norm(joints[:, JOINT[a]] - joints[:, JOINT[b]], axis=-1).mean() for a, b in bones)
    return float(length) * 1.19  # adds the ankle, the crown and the offset from hips to root


def head_axes(joints: np.ndarray, look: tuple[float, float]) -> Axes:
    """Return the axes of the head.

    Args:
        joints: (17, 3) of ``cmu17``; neck and head define the up direction, the shoulders the left direction.
        look: Yaw and pitch of the head relative to the shoulders, radians.
    """
    across = joints[JOINT['left_shoulder']] - joints[JOINT['right_shoulder']]
    up = unit(joints[JOINT['head']] - joints[JOINT['neck_base']])
    level = across - (across @ up) * up
    return Axes.of(level, up).turned(*look)


def keypoints_3d(joints: np.ndarray, look: tuple[float, float], scale: float) -> np.ndarray:
    """Return the joints of ``posetrack15``.

    Args:
        joints: (17, 3) of ``cmu17``, mm, any right-handed frame.
        look: Yaw and pitch of the head, radians.
        scale: Stature in units of ``AVERAGE_STATURE``.

    Returns:
        (15, 3) mm in the same frame. The head bottom is the upper neck; the nose is its tip.
    """
    axes, head = head_axes(joints, look), joints[JOINT['head']]
    names = ['shoulder', 'elbow', 'wrist', 'hip', 'knee', 'foot']
    limbs = [joints[JOINT[f'{side}_{name}']] for name in names for side in ('left', 'right')]
    nose = head + scale * (NOSE * axes.front - 18 * axes.up)
    return np.stack([nose, joints[JOINT['neck_base']], head + scale * HEAD_TOP * axes.up, *limbs])


def head_points(joints: np.ndarray, look: tuple[float, float], scale: float) -> np.ndarray:
    """Return points (N, 3) on the head from crown to chin for its box; arguments as in :func:`keypoints_3d`."""
    axes, head = head_axes(joints, look), joints[JOINT['head']]
    sides = [(front, left) for front in (-92, NOSE) for left in (-72, 72)]
    corners = [front * axes.front * 0.8 + left * axes.left + up * axes.up for front, left in sides for up in (-70, 90)]
    return head + scale * np.stack([*corners, NOSE * axes.front, HEAD_TOP * axes.up, CHIN * axes.up])


class _Builder:
    """Builder of the solids of one person."""

    def __init__(self, joints: np.ndarray, scale: float, looks: Looks) -> None:
        self.at = {name: joints[index] for name, index in JOINT.items()}
        self.scale = scale
        self.looks = looks
        self.solids: list[Solid] = []

    def add(
        self,
        part: str,
        ends: tuple[np.ndarray, np.ndarray],
        radii: tuple[float, float],
        front: np.ndarray,
        flatness: float = 1.0,
        slim: bool = False,
    ) -> None:
        """Add a solid.

        Args:
            part: Name of the body part, which selects the texture.
            ends: (3,) mm, centres of the two balls.
            radii: Radii of the two balls for an average adult, mm; scaled by stature and body width.
            front: (3,) unit vector, see :class:`posediff.synthetic.solids.Solid`.
            flatness: Radius along ``front`` divided by the radius across it.
            slim: Do not scale the radii by the body width.
        """
        factor = self.scale * (1.0 if slim else self.looks.width)
        texture = self.looks.textures[part]
        self.solids.append(Solid(*ends, factor * radii[0], factor * radii[1], front, texture, flatness))


def build_body(joints: np.ndarray, look: tuple[float, float], scale: float, looks: Looks) -> list[Solid]:
    """Return the solids of one person.

    Args:
        joints: (17, 3) of ``cmu17``, mm, camera frame.
        look, scale: As in :func:`keypoints_3d`.
        looks: Build and clothes.
    """
    body = _Builder(joints, scale, looks)
    at = body.at
    chest = Axes.of(at['left_shoulder'] - at['right_shoulder'], at['neck_base'] - at['spine'])
    pelvis = Axes.of(at['left_hip'] - at['right_hip'], at['spine'] - at['root'])
    _add_trunk(body, chest, pelvis)
    for side, sign in (('left', 1), ('right', -1)):
        shoulder, elbow, wrist = (at[f'{side}_{name}'] for name in ('shoulder', 'elbow', 'wrist'))
        fingers = wrist + scale * 105 * unit(wrist - elbow)
        outward = sign * chest.left
        body.add(f'{side}_upper_arm', (shoulder, elbow), (54, 42), outward)
        body.add(f'{side}_forearm', (elbow, wrist), (42, 29), outward)
        body.add(f'{side}_hand', (wrist, fingers), (34, 30), outward, 0.6)
        hip, knee, foot = (at[f'{side}_{name}'] for name in ('hip', 'knee', 'foot'))
        leg = Axes.of(pelvis.left, knee - foot)
        heel, toes = (foot + scale * (ahead * leg.front - 32 * leg.up) for ahead in (-35, 150))
        body.add(f'{side}_thigh', (hip - scale * sign * 8 * pelvis.left, knee), (88, 57), pelvis.front)
        if body.looks.baggy:
            body.add('baggy', (hip, hip + 0.7 * (knee - hip)), (112, 122), pelvis.front)
        body.add(f'{side}_shank', (knee, foot), (57, 39), pelvis.front)
        body.add(f'{side}_foot', (heel, toes), (42, 32), leg.up)
    _add_head(body, head_axes(joints, look))
    return body.solids


def _add_trunk(body: _Builder, chest: Axes, pelvis: Axes) -> None:
    at, scale = body.at, body.scale
    hips = (at['left_hip'] + at['right_hip']) / 2
    waist = hips + 0.62 * (at['spine'] - hips)
    body.add('belly', (hips + scale * 25 * pelvis.up, waist), (152, 132), pelvis.front, 0.68)
    body.add('chest', (waist, at['thorax'] + scale * 10 * chest.up), (134, 158), chest.front, 0.66)
    inward = scale * 30 * chest.left
    body.add('shoulders', (at['left_shoulder'] - inward, at['right_shoulder'] + inward), (58, 58), chest.front)
    body.add('neck', (at['thorax'] + scale * 60 * chest.up, at['neck_base']), (62, 52), chest.front)
    if body.looks.backpack:
        back = at['spine'] - scale * 165 * chest.front
        body.add('pack', (back, back + scale * 240 * chest.up), (130, 110), chest.front, 0.7)


def _add_head(body: _Builder, axes: Axes) -> None:
    """Add the skull with a face, the nose, and headwear."""

    def place(front: float, up: float) -> np.ndarray:
        return body.at['head'] + body.scale * (front * axes.front + up * axes.up)

    body.add('head', (place(14, -42), place(0, 44)), (54, 76), axes.front, 1.16, slim=True)
    body.add('nose', (place(74, 14), place(NOSE - 12, -16)), (9, 13), axes.front, slim=True)
    if body.looks.long_hair:
        body.add('hair', (place(-28, 20), place(-52, -120)), (80, 62), -axes.front, 0.7, slim=True)
    if body.looks.visor:
        body.add('visor', (place(45, 52), place(112, 46)), (62, 50), axes.up, 0.16, slim=True)
