"""Parser of the hierarchy of a BVH file: joints, parents, offsets and channels."""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_CHANNEL = re.compile(r'([XYZ])(position|rotation)', re.IGNORECASE)


@dataclass(frozen=True)
class BvhJoint:
    """One joint or end site.

    Attributes:
        name: Name without namespace and common prefix; ``<parent>_end`` for an end site.
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


@dataclass
class _Block:
    name: str
    parent: int
    is_end: bool
    offset: np.ndarray | None = None
    channels: tuple[str, ...] = field(default_factory=tuple)


def read_hierarchy(text: str, path: Path) -> tuple[BvhJoint, ...]:
    """Parse the part of a file before ``MOTION``.

    Args:
        text: That part, from ``HIERARCHY`` on.
        path: For messages.

    Raises:
        ValueError: The hierarchy is malformed or truncated, a joint name is duplicated, or a channel is unknown; the
            message names the file and the joint.
    """
    words = text.replace('{', ' { ').replace('}', ' } ').split()
    blocks: list[_Block] = []
    stack: list[int] = []
    position = 1
    try:
        while position < len(words):
            word = words[position].upper()
            position += 1
            if word in ('ROOT', 'JOINT', 'END'):
                opened = words.index('{', position)
                name = _bare_name(' '.join(words[position:opened]))
                is_end = word == 'END'
                parent = stack[-1] if stack else -1
                blocks.append(_Block(f'{blocks[parent].name}_end' if is_end else name, parent, is_end))
                position = opened
            elif word == '{':
                stack.append(len(blocks) - 1)
            elif word == '}':
                stack.pop()
            elif word == 'OFFSET':
                blocks[stack[-1]].offset = np.array(words[position : position + 3], dtype=float)
                position += 3
            elif word == 'CHANNELS':
                count = int(words[position])
                blocks[stack[-1]].channels = _channels(words[position + 1 : position + 1 + count], count)
                position += 1 + count
            else:
                raise ValueError(f'{words[position - 1]!r} is not a BVH keyword')
    except (IndexError, ValueError) as error:
        raise ValueError(f'{path}: the hierarchy is malformed or cut short near word {position} ({error})') from error
    if stack:
        raise ValueError(f'{path}: the hierarchy is cut short: joint {blocks[stack[-1]].name!r} is not closed')
    return _joints(blocks, path)


def _bare_name(name: str) -> str:
    """Return a name without namespaces."""
    bare = re.split(r'[:|]', name)[-1].strip()
    if not bare:
        raise ValueError(f'a joint has no name ({name!r})')
    return bare


def _prefix(names: list[str]) -> str:
    """Return the common prefix of all joint names, such as ``mixamorig1_`` or ``Character1_``.

    It ends with a separator, or where every name continues with a capital.
    """
    common = os.path.commonprefix(names) if len(names) > 1 else ''
    end = len(common.rstrip('_ -.')) if common in names else len(common)
    while end and not (common[end - 1] in '_ -.' or all(name[end : end + 1].isupper() for name in names)):
        end -= 1
    return common[:end]


def _channels(words: list[str], count: int) -> tuple[str, ...]:
    found = [_CHANNEL.fullmatch(word) for word in words]
    unknown = [word for word, match in zip(words, found, strict=True) if match is None]
    if unknown or len(words) < count:
        raise ValueError(f'{count} channels announced, {unknown[0] if unknown else "the end"!r} is none')
    names = [f'{match.group(1).upper()}{match.group(2).lower()}' for match in found if match is not None]
    if len({name for name in names if name.endswith('position')}) < sum(name.endswith('position') for name in names):
        raise ValueError(f'a position channel occurs twice: {" ".join(words)}')
    return tuple(names)


def _joints(blocks: list[_Block], path: Path) -> tuple[BvhJoint, ...]:
    if not any(not block.is_end for block in blocks):
        raise ValueError(f'{path}: no joint in its hierarchy')
    prefix = _prefix([block.name for block in blocks if not block.is_end])
    for block in blocks:
        block.name = block.name.removeprefix(prefix)
    joints: list[BvhJoint] = []
    names: set[str] = set()
    column = 0
    for block in blocks:
        if block.offset is None or block.offset.shape != (3,) or not np.isfinite(block.offset).all():
            raise ValueError(f'{path}: joint {block.name!r} has no OFFSET of three numbers')
        if not block.is_end and block.name.lower() in names:
            raise ValueError(f'{path}: two joints are called {block.name!r}')
        names.add(block.name.lower())
        joints.append(BvhJoint(block.name, block.parent, block.offset, block.channels, column))
        column += len(block.channels)
    return tuple(joints)
