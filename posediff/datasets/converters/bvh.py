"""Reader of BVH motion files.

The maintained package bvhio on PyPI reads BVH as well; positions agree to 1e-4 file units. It creates one transform
object per joint and frame, takes nine times as long on the CMU set, and depends on two compiled packages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from posediff.datasets.converters.bvh_hierarchy import BvhJoint, read_hierarchy
from posediff.fileio.input_files import read_text

_MOTION = re.compile(r'^\s*MOTION\b', re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(r'\s*Frames\s*:\s*(\S+)\s+Frame\s*Time\s*:[ \t]*([^\s]*)', re.IGNORECASE)


@dataclass(frozen=True)
class BvhMotion:
    """Content of a motion file.

    Attributes:
        path: The file, for messages.
        joints: Joints and end sites, parents before children.
        values: (F, number of channels of all joints), file units and degrees.
        fps: Frames per second.
    """

    path: Path
    joints: tuple[BvhJoint, ...]
    values: np.ndarray
    fps: float


def read_bvh(path: str | Path) -> BvhMotion:
    """Read a motion file.

    Keywords and channels are case-insensitive. Joint names are stripped of their namespace (``mixamorig:Hips``) and of
    a prefix common to all joints (``Character1_Hips``).

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not BVH or is truncated, frames or the frame time are missing, or a joint is invalid;
            the message names it.
    """
    path = Path(path)
    text = read_text(path, 'latin-1')
    first = text.split(maxsplit=1)[:1]
    if not first or first[0].upper() != 'HIERARCHY':
        raise ValueError(f'{path}: not a BVH file (it starts with {" ".join(first)[:40]!r}, not HIERARCHY)')
    motion = _MOTION.search(text)
    joints = read_hierarchy(text[: motion.start()] if motion else text, path)
    if motion is None:
        raise ValueError(f'{path}: cut short: there is no MOTION after the hierarchy')
    header = _HEADER.match(text, motion.end())
    if header is None:
        raise ValueError(f'{path}: no frame count and frame time ("Frames:", "Frame Time:") after MOTION')
    frames, fps = _frames(header.group(1), path), _rate(header.group(2), path)
    width = sum(len(joint.channels) for joint in joints)
    numbers = text[header.end() :].split()
    if frames < 1 or len(numbers) != frames * width:
        raise ValueError(
            f'{path}: {frames} frames of {width} channels announced, {len(numbers)} numbers found (truncated file?)'
        )
    try:
        values = np.array(numbers, dtype=float).reshape(frames, width)
    except ValueError as error:
        raise ValueError(f'{path}: a value of its motion is not a number ({error})') from error
    _check_positions(joints, values, path)
    return BvhMotion(path, joints, values, fps)


def _frames(text: str, path: Path) -> int:
    if not text.isdecimal():
        raise ValueError(f'{path}: its frame count is {text!r}, not a number')
    return int(text)


def _rate(text: str, path: Path) -> float:
    try:
        frame_time = float(text)
    except ValueError:
        frame_time = float('nan')
    if not (np.isfinite(frame_time) and frame_time > 0):
        raise ValueError(f'{path}: its frame time is {text!r}: it must be a positive number of seconds')
    return 1.0 / frame_time


def _check_positions(joints: tuple[BvhJoint, ...], values: np.ndarray, path: Path) -> None:
    """Raise if the positions of a joint with an offset are 0 throughout: they were meant to be added to the offset."""
    for joint in joints:
        own = values[:, joint.first_channel : joint.first_channel + len(joint.channels)]
        moves = [index for index, name in enumerate(joint.channels) if name.endswith('position')]
        offset = [joint.offset['XYZ'.index(joint.channels[index][0])] for index in moves]
        if joint.parent >= 0 and np.any(offset) and not own[:, moves].any():
            raise ValueError(
                f'{path}: the positions of joint {joint.name!r} are 0 in every frame, but its OFFSET is not: positions '
                'replace the OFFSET, which would move the joint to its parent'
            )


def position_in_parent(motion: BvhMotion, joint: BvhJoint) -> np.ndarray:
    """Return joint positions in the parent's frame, (F, 3): the offset, replaced by position channels per axis."""
    position = np.tile(joint.offset, (len(motion.values), 1))
    for index, name in enumerate(joint.channels):
        if name.endswith('position'):
            position[:, 'XYZ'.index(name[0])] = motion.values[:, joint.first_channel + index]
    return position


def bvh_joint_frames(motion: BvhMotion) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Compute joint positions and rotations by forward kinematics.

    Rotation channels apply in their order, each about the axes rotated by the earlier ones. Position channels replace
    the joint's offset per axis.

    Returns:
        Position (F, 3) in file units and rotation to the global frame (F, 3, 3) of every joint. End sites are named
        ``<parent>_end``.
    """
    frames = len(motion.values)
    identity = np.broadcast_to(np.eye(3), (frames, 3, 3))
    positions: list[np.ndarray] = []
    rotations: list[np.ndarray] = []
    for joint in motion.joints:
        columns = motion.values[:, joint.first_channel : joint.first_channel + len(joint.channels)]
        position = position_in_parent(motion, joint)
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
