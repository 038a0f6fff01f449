"""Map named joints of a file to a skeleton."""

from __future__ import annotations

import re
from collections.abc import Sequence

from posediff.structures.skeletons import SKELETONS, get_skeleton, match_skeleton

_SIDES = {'l': 'left', 'r': 'right', 'left': 'left', 'right': 'right'}
_WORDS = {'mid_hip': 'mid_hip', 'midhip': 'mid_hip', 'bigtoe': 'big_toe', 'smalltoe': 'small_toe'}


def plain_name(name: str) -> str:
    """Normalise a joint name: LShoulder, shoulder_l and LEFT_SHOULDER become left_shoulder."""
    words = re.sub(r'(?<=[a-z])(?=[A-Z])|(?<=\b[LR])(?=[A-Z][a-z])', '_', name.strip())
    parts = [part for part in re.split(r'[\s_\-.]+', words.lower()) if part]
    if len(parts) > 1 and parts[-1] in _SIDES and parts[0] not in _SIDES:
        parts = [parts[-1], *parts[:-1]]
    if len(parts) > 1 and parts[0] in _SIDES:
        parts[0] = _SIDES[parts[0]]
    text = '_'.join(parts)
    for short, long in _WORDS.items():
        text = text.replace(short, long)
    return text


def columns_of(file: str, names: Sequence[str], skeleton: str | None) -> tuple[str, list[int | None]]:
    """Find the joints of a skeleton among the joint names of a file.

    Args:
        file: Name of the file, for the message.
        names: Joint names in the file.
        skeleton: Skeleton stated by the user; joints that the file lacks are never detected. None: the largest skeleton
            whose joints are all in the file.

    Returns:
        Name of the skeleton, and for each of its joints the index in ``names``, or None.

    Raises:
        KeyError: The skeleton is unknown.
        ValueError: Two names mean the same joint, or no skeleton matches.
    """
    plain = [plain_name(name) for name in names]
    double = next((name for name in plain if plain.count(name) > 1), None)
    if double is not None:
        raise ValueError(f'{file}: two joints are called {double}')
    if skeleton is None:
        try:
            found, columns = match_skeleton(plain)
        except ValueError:
            raise ValueError(
                f'{file}: joints {", ".join(names)} do not contain all joints of a known skeleton '
                f'({", ".join(sorted(SKELETONS))}); --skeleton NAME uses those present, without '
                'the others'
            ) from None
        return found.name, list(columns)
    joints = get_skeleton(skeleton).joint_names
    places = [plain.index(name) if name in plain else None for name in joints]
    if all(place is None for place in places):
        raise ValueError(f'{file}: none of its joints ({", ".join(names)}) is one of {skeleton} ({", ".join(joints)})')
    return skeleton, places
