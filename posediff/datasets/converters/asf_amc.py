"""Reader of Acclaim motions (AMC), and forward kinematics with their skeleton (ASF).

No maintained package on PyPI reads these formats.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posediff.datasets.converters.asf_skeleton import ROOT, ROTATIONS, TRANSLATIONS, AsfSkeleton, euler
from posediff.datasets.converters.asf_words import BlockReader, lines_of_words


@dataclass(frozen=True)
class AmcMotion:
    """Content of a motion file.

    Attributes:
        channels: Bone name (or ``'root'``) to (F, number of channels), in file units and degrees.
        samples_per_second: Frame rate, None if the file does not state it.
    """

    channels: dict[str, np.ndarray]
    samples_per_second: float | None


def read_amc(path: str | Path, skeleton: AsfSkeleton) -> AmcMotion:
    """Read a motion file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: A bone is unknown, a line is truncated or not numeric, frames are missing, empty or differ in
            their bones; the message names file and line.
    """
    path = Path(path)
    expected = {bone.name: len(bone.dof) for bone in skeleton.bones if bone.dof}
    expected[ROOT] = len(skeleton.root_order)
    values: dict[str, list[list[str]]] = {name: [] for name in expected}
    numbers: list[int] = []
    radians, rate = skeleton.radians, skeleton.samples_per_second
    for number, words in lines_of_words(path):
        name = words[0].lower()
        if name.startswith(':'):
            if name in (':radians', ':degrees'):
                radians = name == ':radians'
            elif name == ':samples-per-second':
                rate = BlockReader(f'{path}:{number}', [words]).positive(name)
        elif len(words) == 1 and name.isdecimal():
            numbers.append(int(name))
            _check_number(numbers, f'{path}:{number}')
        elif len(words) - 1 != expected.get(name, -1):
            raise ValueError(
                f'{path}:{number}: {words[0]!r} has {len(words) - 1} values where {skeleton.path.name} gives it '
                f'{expected.get(name, "no")} channels'
            )
        elif len(values[name]) >= len(numbers):
            raise ValueError(f'{path}:{number}: {words[0]!r} occurs twice in a frame, or before the first')
        else:
            values[name].append(words[1:])
    frames = len(numbers)
    if not frames:
        raise ValueError(f'{path}: no frames')
    short = [name for name, rows in values.items() if len(rows) not in (0, frames)]
    if short or len(values[ROOT]) != frames:
        raise ValueError(
            f'{path}: {frames} frames, but not every frame has {", ".join(short) or ROOT} (truncated file?)'
        )
    turning = {bone.name: bone.dof for bone in skeleton.bones} | {ROOT: skeleton.root_order}
    channels = {name: _table(rows, f'{path}: {name}') for name, rows in values.items() if rows}
    if radians:
        for name, table in channels.items():
            table[:, [channel in ROTATIONS for channel in turning[name]]] *= np.degrees(1.0)
    return AmcMotion(channels, rate)


def _check_number(numbers: list[int], place: str) -> None:
    """Check that frame numbers increase by 1; the first is arbitrary."""
    if len(numbers) > 1 and numbers[-1] != numbers[-2] + 1:
        raise ValueError(
            f'{place}: frame {numbers[-1]} follows frame {numbers[-2]}: frames are missing or out of order'
        )


def _table(rows: list[list[str]], place: str) -> np.ndarray:
    """Return rows of words as numbers, (F, number of channels); ``place`` names the file and the bone in errors."""
    try:
        return np.array(rows, dtype=float)
    except ValueError as error:
        raise ValueError(f'{place} has something that is not a number ({error})') from error


def asf_joint_positions(skeleton: AsfSkeleton, motion: AmcMotion) -> dict[str, np.ndarray]:
    """Compute joint positions by forward kinematics.

    A bone's global rotation is its parent's times ``C M C^-1``, where C is the bone's axis and M the frame's Euler
    rotation. ``dof`` and ``order`` assign the channels; ``axis`` is the order of rotation.

    Args:
        skeleton: From :func:`~posediff.datasets.converters.asf_skeleton.read_asf`.
        motion: From :func:`read_amc`.

    Returns:
        Positions of the root and of every bone's end, (F, 3) each, in file units.
    """
    channels = motion.channels
    root = dict(zip(skeleton.root_order, channels[ROOT].T, strict=True))
    local = euler(skeleton.root_rotation, np.stack([root[f'r{axis}'] for axis in skeleton.root_rotation], axis=-1))
    rotations = {ROOT: skeleton.root_axis @ local @ skeleton.root_axis.T}
    positions = {ROOT: np.stack([root[axis] for axis in TRANSLATIONS], axis=-1) + skeleton.root_position}
    for bone in skeleton.bones:
        rotation = rotations[bone.parent]
        if bone.name in channels:
            angles = channels[bone.name][:, [bone.dof.index(f'r{axis}') for axis in bone.order]]
            rotation = rotation @ bone.axis @ euler(bone.order, angles) @ bone.axis.T
        rotations[bone.name] = rotation
        positions[bone.name] = positions[bone.parent] + rotation @ bone.offset
    return positions
