"""Acclaim skeletons (ASF) and motions (AMC), as the CMU motion capture database publishes them.

No maintained package on PyPI reads these files, hence this reader. It covers what the database uses: Euler-angle joints
in degrees, a root with three translations and three rotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

ROOT = 'root'


@dataclass(frozen=True)
class AsfBone:
    """One bone: starts where its parent ends.

    Attributes:
        offset: (3,) vector from start to end in the global frame of the rest pose, file units.
        axis: (3, 3) orientation of the frame in which the bone's angles are given.
        dof: Channels in the order in which an AMC file lists them, e.g. ``('rx', 'ry', 'rz')``.
    """

    name: str
    parent: str
    offset: np.ndarray
    axis: np.ndarray
    dof: tuple[str, ...]


@dataclass(frozen=True)
class AsfSkeleton:
    """A skeleton file: bones in an order in which parents precede children.

    Attributes:
        root_order: Channels of the root in an AMC file, e.g. ``('tx', 'ty', 'tz', 'rx', 'ry', 'rz')``.
    """

    path: Path
    root_order: tuple[str, ...]
    root_axis: np.ndarray
    root_position: np.ndarray
    bones: tuple[AsfBone, ...]


def _euler(order: str, degrees: np.ndarray) -> np.ndarray:
    """Rotation matrices of angles about fixed axes, the first letter of ``order`` applied first."""
    return Rotation.from_euler(order.lower(), degrees, degrees=True).as_matrix().reshape(*np.shape(degrees)[:-1], 3, 3)


def _sections(path: Path) -> dict[str, list[list[str]]]:
    """Lines of an ASF file as words, by the ``:keyword`` that opens their section."""
    sections: dict[str, list[list[str]]] = {}
    current: list[list[str]] = []
    for line in path.read_text(encoding='latin-1').splitlines():
        words = line.split('#', 1)[0].split()
        if not words:
            continue
        if words[0].startswith(':'):
            current = sections.setdefault(words[0][1:].lower(), [])
            words = words[1:]
        if words:
            current.append(words)
    return sections


def _read_bone(lines: list[list[str]], parents: dict[str, str], scale_of_angle: float, path: Path) -> AsfBone:
    entry = {words[0]: words[1:] for words in lines}
    try:
        name = entry['name'][0]
        direction = np.array(entry['direction'][:3], dtype=float)
        axis_angles = np.array(entry['axis'][:3], dtype=float) * scale_of_angle
        offset = direction * float(entry['length'][0])
        return AsfBone(
            name=name,
            parent=parents[name],
            offset=offset,
            axis=_euler(entry['axis'][3], axis_angles),
            dof=tuple(channel.lower() for channel in entry.get('dof', ())),
        )
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(
            f'{path}: bone {entry.get("name", ["?"])[0]!r} is incomplete or malformed ({error!r})'
        ) from error


def read_asf(path: str | Path) -> AsfSkeleton:
    """Read a skeleton file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file lacks a section or a bone lacks an entry; the message names it.
    """
    path = Path(path)
    sections = _sections(path)
    missing = {'root', 'bonedata', 'hierarchy'} - sections.keys()
    if missing:
        raise ValueError(f'{path}: not a complete ASF file, section {", ".join(sorted(missing))} is missing')
    units = {words[0]: words[1] for words in sections.get('units', []) if len(words) > 1}
    scale_of_angle = np.degrees(1.0) if units.get('angle', 'deg').startswith('rad') else 1.0
    parents = {child: words[0] for words in sections['hierarchy'] for child in words[1:]}

    groups: list[list[list[str]]] = []
    for words in sections['bonedata']:
        if words[0] == 'begin':
            groups.append([])
        elif words[0] != 'end' and groups:
            groups[-1].append(words)
    bones = {bone.name: bone for bone in (_read_bone(lines, parents, scale_of_angle, path) for lines in groups)}

    ordered: list[AsfBone] = []
    placed = {ROOT}
    while len(ordered) < len(bones):
        ready = [bone for bone in bones.values() if bone.parent in placed and bone.name not in placed]
        if not ready:
            raise ValueError(f'{path}: bones {sorted(set(bones) - placed)} are not connected to the root')
        ordered.extend(ready)
        placed.update(bone.name for bone in ready)

    root = {words[0]: words[1:] for words in sections['root']}
    orientation = np.array(root.get('orientation', (0, 0, 0))[:3], dtype=float) * scale_of_angle
    return AsfSkeleton(
        path=path,
        root_order=tuple(channel.lower() for channel in root['order']),
        root_axis=_euler(root.get('axis', ['XYZ'])[0], orientation),
        root_position=np.array(root.get('position', (0, 0, 0))[:3], dtype=float),
        bones=tuple(ordered),
    )


def read_amc(path: str | Path, skeleton: AsfSkeleton) -> dict[str, np.ndarray]:
    """Read a motion file.

    Returns:
        Channels by bone (and ``'root'``), each (F, number of channels), file units and degrees.

    Raises:
        ValueError: Angles are not in degrees, a bone is unknown, a line is cut short, frames differ in their bones, or
            there is no frame.
    """
    path = Path(path)
    expected = {bone.name: len(bone.dof) for bone in skeleton.bones if bone.dof}
    expected[ROOT] = len(skeleton.root_order)
    values: dict[str, list[list[str]]] = {name: [] for name in expected}
    frames = 0
    for number, line in enumerate(path.read_text(encoding='latin-1').splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith('#'):
            continue
        if words[0].startswith(':'):
            if words[0].upper() == ':RADIANS':
                raise ValueError(f'{path}: angles in radians are not supported')
        elif len(words) == 1 and words[0].isdigit():
            frames += 1
        elif len(words) - 1 != expected.get(words[0], -1):
            raise ValueError(
                f'{path}:{number}: {words[0]!r} has {len(words) - 1} values where {skeleton.path.name} gives it '
                f'{expected.get(words[0], "no")} channels'
            )
        else:
            values[words[0]].append(words[1:])
    if not frames:
        raise ValueError(f'{path}: no frames')
    short = [name for name, rows in values.items() if len(rows) not in (0, frames)]
    if short or len(values[ROOT]) != frames:
        raise ValueError(
            f'{path}: {frames} frames, but not every frame has {", ".join(short) or ROOT} (truncated file?)'
        )
    return {name: np.array(rows, dtype=float) for name, rows in values.items() if rows}


def _joint_rotation(channels: tuple[str, ...], values: np.ndarray) -> np.ndarray:
    """(F, 3, 3) rotations of Euler channels such as ``('rx', 'rz')``; the first is applied first."""
    return _euler(''.join(channel[1] for channel in channels), values)


def asf_joint_positions(skeleton: AsfSkeleton, motion: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Forward kinematics.

    A bone's global rotation is its parent's times ``C M C^-1`` with C the bone's axis and M the Euler rotation of the
    frame.

    Args:
        skeleton: From :func:`read_asf`.
        motion: From :func:`read_amc`.

    Returns:
        Position of the root and of every bone's end, (F, 3) each, file units.
    """
    channel_of = {name: index for index, name in enumerate(skeleton.root_order)}
    root = motion[ROOT]
    rotation_channels = tuple(name for name in skeleton.root_order if name.startswith('r'))
    local = _joint_rotation(rotation_channels, root[:, [channel_of[name] for name in rotation_channels]])
    rotations = {ROOT: skeleton.root_axis @ local @ skeleton.root_axis.T}
    positions = {ROOT: root[:, [channel_of[axis] for axis in ('tx', 'ty', 'tz')]] + skeleton.root_position}
    for bone in skeleton.bones:
        rotation = rotations[bone.parent]
        if bone.name in motion:
            rotation = rotation @ bone.axis @ _joint_rotation(bone.dof, motion[bone.name]) @ bone.axis.T
        rotations[bone.name] = rotation
        positions[bone.name] = positions[bone.parent] + rotation @ bone.offset
    return positions
