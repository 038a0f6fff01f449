"""Reader of Acclaim skeletons (ASF), the format of the CMU motion capture database and other laboratories.

Keywords and bone names are case-insensitive; commas and brackets count as white space. Bones with a length channel
(``l``) or other channels than rotations raise an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from posediff.datasets.converters.asf_words import BlockReader, read_lines

ROOT = 'root'
METRES_PER_INCH = 0.0254
CMU_LENGTH = 0.45
"""The ``length`` of CMU's files: a value in a file, divided by it, is in inches."""

ROTATIONS = ('rx', 'ry', 'rz')
TRANSLATIONS = ('tx', 'ty', 'tz')


@dataclass(frozen=True)
class AsfBone:
    """One bone, which starts at its parent's end.

    Attributes:
        name: Lower-case name.
        parent: Name of the parent bone.
        offset: (3,) vector from start to end in the global frame of the rest pose, file units.
        axis: (3, 3) orientation of the frame of the bone's angles.
        dof: Channels in the order of an AMC file, e.g. ``('rx', 'ry', 'rz')``.
        order: Rotation axes in order of application, e.g. ``'xyz'``.
    """

    name: str
    parent: str
    offset: np.ndarray
    axis: np.ndarray
    dof: tuple[str, ...]
    order: str = 'xyz'


@dataclass(frozen=True)
class AsfSkeleton:
    """Content of a skeleton file, with parents before children.

    Attributes:
        path: The file, for messages.
        root_order: Channels of the root in an AMC file, e.g. ``('tx', 'ty', 'tz', 'rx', 'ry', 'rz')``.
        root_axis: (3, 3) orientation of the frame of the root's angles.
        root_position: (3,) position of the root in the rest pose, file units; added to its translation channels.
        bones: All bones.
        root_rotation: Rotation axes of the root in order of application.
        length: Unit of the file: a value divided by it is in inches; None if not stated.
        radians: Whether angles are in radians, in the skeleton and in motions that do not state a unit.
        samples_per_second: Frame rate for motions that do not state one; None if not stated.
    """

    path: Path
    root_order: tuple[str, ...]
    root_axis: np.ndarray
    root_position: np.ndarray
    bones: tuple[AsfBone, ...]
    root_rotation: str = 'xyz'
    length: float | None = None
    radians: bool = False
    samples_per_second: float | None = None

    @property
    def metres_per_unit(self) -> float:
        """Metres per file unit; CMU's unit if the file states none."""
        return METRES_PER_INCH / (CMU_LENGTH if self.length is None else self.length)


def euler(order: str, degrees: np.ndarray) -> np.ndarray:
    """Return rotation matrices for angles about fixed axes; the first letter of ``order`` is applied first."""
    return Rotation.from_euler(order, degrees, degrees=True).as_matrix().reshape(*np.shape(degrees)[:-1], 3, 3)


def read_asf(path: str | Path) -> AsfSkeleton:
    """Read a skeleton file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: A section is missing, a bone has a missing or invalid entry, or has channels other than rotations;
            the message names it.
    """
    path = Path(path)
    sections = read_lines(path)
    missing = {'root', 'bonedata', 'hierarchy'} - sections.keys()
    if missing:
        raise ValueError(f'{path}: not a complete ASF file, section {", ".join(sorted(missing))} is missing')
    units = BlockReader(f'{path}: :units', sections.get('units', []))
    radians = units.angle_is_radians()
    scale = np.degrees(1.0) if radians else 1.0
    parents = {child.lower(): words[0].lower() for words in sections['hierarchy'] for child in words[1:]}
    bones: dict[str, AsfBone] = {}
    for block in _bone_blocks(sections['bonedata'], path):
        bone = _read_bone(block, parents, scale)
        if bone.name in bones or bone.name == ROOT:
            raise ValueError(f'{path}: bone {bone.name!r} occurs twice')
        bones[bone.name] = bone
    root = BlockReader(f'{path}: :root', sections['root'])
    order = tuple(word.lower() for word in root.words('order'))
    if sorted(order) != sorted((*TRANSLATIONS, *ROTATIONS)):
        raise ValueError(
            f'{path}: the root has the channels {" ".join(order) or "none"}, expected {" ".join(TRANSLATIONS)} '
            f'{" ".join(ROTATIONS)} in any order'
        )
    turning = root.axis_order('axis', 0)
    return AsfSkeleton(
        path=path,
        root_order=order,
        root_axis=euler(turning, root.numbers('orientation', 3, default=0.0) * scale),
        root_position=root.numbers('position', 3, default=0.0),
        bones=_parents_first(bones, path),
        root_rotation=turning,
        length=units.positive('length'),
        radians=radians,
        samples_per_second=_rate(sections, path),
    )


def _bone_blocks(lines: list[list[str]], path: Path) -> list[BlockReader]:
    groups: list[list[list[str]]] = []
    for words in lines:
        if words[0].lower() == 'begin':
            groups.append([])
        elif words[0].lower() != 'end' and groups:
            groups[-1].append(words)
    return [BlockReader(f'{path}: bone {_name_of(lines)!r}', lines) for lines in groups]


def _name_of(lines: list[list[str]]) -> str:
    return next((words[1] for words in lines if words[0].lower() == 'name' and len(words) > 1), '?')


def _read_bone(block: BlockReader, parents: dict[str, str], scale_of_angle: float) -> AsfBone:
    name = block.words('name', 1)[0].lower()
    if name not in parents:
        raise ValueError(f'{block.place} is not in the hierarchy')
    dof = tuple(channel.lower() for channel in block.words('dof', required=False))
    strange = [channel for channel in dof if channel not in ROTATIONS]
    if strange or len(set(dof)) < len(dof):
        reason = 'changes its length' if strange == ['l'] else 'has channels other than rotations'
        raise ValueError(
            f'{block.place} {reason} (dof {" ".join(dof)}): only {", ".join(ROTATIONS)}, each once, are supported'
        )
    turning = block.axis_order('axis', 3)
    return AsfBone(
        name=name,
        parent=parents[name],
        offset=block.numbers('direction', 3) * block.numbers('length', 1),
        axis=euler(turning, block.numbers('axis', 3) * scale_of_angle),
        dof=dof,
        order=''.join(axis for axis in turning if f'r{axis}' in dof),
    )


def _parents_first(bones: dict[str, AsfBone], path: Path) -> tuple[AsfBone, ...]:
    ordered: list[AsfBone] = []
    placed = {ROOT}
    while len(ordered) < len(bones):
        ready = [bone for bone in bones.values() if bone.parent in placed and bone.name not in placed]
        if not ready:
            raise ValueError(f'{path}: bones {sorted(set(bones) - placed)} are not connected to the root')
        ordered.extend(ready)
        placed.update(bone.name for bone in ready)
    return tuple(ordered)


def _rate(sections: dict[str, list[list[str]]], path: Path) -> float | None:
    """Return the value of ``:samples-per-second``."""
    lines = sections.get('samples-per-second')
    if lines is None:
        return None
    return BlockReader(str(path), [['samples-per-second', *(lines[0] if lines else [])]]).positive('samples-per-second')
