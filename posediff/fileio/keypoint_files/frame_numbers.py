"""Determine the frame index of entries: integers in any notation, or image names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_NUMBER = re.compile(r'[+-]?\d+(\.0*)?')
_EXTENSION = re.compile(r'\.(jpe?g|png|bmp|tiff?|webp|gif|ppm|json|txt)$', re.IGNORECASE)
_WRITERS_SUFFIX = re.compile(r'_(keypoints|rendered)$')
_FRAME_KEYS = (
    'frame', 'frameid', 'frameindex', 'frameidx', 'framenumber', 'framenum', 'frameno', 'framenr', 'imageid',
    'imageindex', 'imageidx', 'imagename', 'imgid', 'imgidx', 'imgname', 'image', 'filename',
)  # fmt: skip


def frame_numbers(frames: Sequence[tuple[str, Any]]) -> list[int]:
    """Return the indices of frames given as integers (7, 7.0, "7") or as image names ("path/clip_0007.jpg").

    The index of a name is the number that differs between names; for a single name, its last number.

    Args:
        frames: For each entry its location, for messages, and its frame.

    Raises:
        ValueError: A frame is neither an integer nor a name with a number, the names differ in their text, or two
            numbers of the names differ; the message states the location.
    """
    is_name = [isinstance(frame, str) and not _NUMBER.fullmatch(frame.strip()) for _, frame in frames]
    if any(is_name) and not all(is_name):
        where, frame = frames[is_name.index(True)]
        _, number = frames[is_name.index(False)]
        raise ValueError(f'{where}: frame {frame!r} is a name, others are numbers ({number!r})')
    return _numbers_of_names(frames) if any(is_name) else [_whole(where, frame) for where, frame in frames]


def frame_of(entry: Mapping[str, Any], *preferred: str) -> Any:
    """Return the frame that an entry of a file states; None if there is none.

    Args:
        entry: The entry.
        preferred: Keys of the format in order of preference. Without any of them, any key that means frame or image is
            used, in any spelling: ``frameIdx``, ``frame_number``, ``Image Name``.
    """
    named = next((key for key in preferred if key in entry), None)
    if named is not None:
        return entry[named]
    plain = {re.sub(r'[^a-z]', '', str(key).lower()): value for key, value in entry.items()}
    found = [plain[key] for key in _FRAME_KEYS if isinstance(plain.get(key), int | float | str)]
    return found[0] if found else None


def places_among(frames: Sequence[tuple[str, Any]], image_names: Sequence[str]) -> list[int] | None:
    """Return the positions of named frames among the images of a folder; None if no frame is one of the images.

    Args:
        frames: For each entry its location, for messages, and its frame.
        image_names: Image names of the folder, in order.

    Raises:
        ValueError: Some frames are images of the folder, others are not.
    """
    places = {stem_of(name): number for number, name in enumerate(image_names)}
    if len(places) < len(image_names) or not all(isinstance(frame, str) for _, frame in frames):
        return None
    found = [places.get(stem_of(frame)) for _, frame in frames]
    missing = [one for one, place in zip(frames, found, strict=True) if place is None]
    if len(missing) == len(frames):
        return None
    if missing:
        raise ValueError(f'{missing[0][0]}: {missing[0][1]!r} is none of the {len(image_names)} images')
    return [place for place in found if place is not None]


def stem_of(name: str) -> str:
    """Return a file name without folder, extension and the suffixes that OpenPose adds."""
    base = name.replace('\\', '/').rsplit('/', 1)[-1]
    return _WRITERS_SUFFIX.sub('', _EXTENSION.sub('', base))


def _whole(where: str, frame: Any) -> int:
    if isinstance(frame, str):
        frame = float(frame) if '.' in frame else int(frame)
    whole = not isinstance(frame, bool) and isinstance(frame, int | float) and frame == frame and abs(frame) < 2**63
    if not whole or frame != int(frame) or frame < 0:
        raise ValueError(f'{where}: a frame is a whole number from 0 or the name of an image, got {frame!r}')
    return int(frame)


def _numbers_of_names(frames: Sequence[tuple[str, Any]]) -> list[int]:
    groups: list[list[str]] = []
    form: str | None = None
    for where, name in frames:
        stem = stem_of(name)
        own = re.sub(r'\d+', '#', stem)
        if '#' not in own:
            raise ValueError(f'{where}: the name {name!r} holds no number of a frame')
        if form is None:
            form = own
        elif own != form:
            raise ValueError(
                f'{where}: the names {frames[0][1]!r} and {name!r} have no form in common, so the number that counts '
                'frames is not clear'
            )
        groups.append(re.findall(r'\d+', stem))
    changing = [place for place, column in enumerate(zip(*groups, strict=True)) if len(set(column)) > 1]
    if len(changing) > 1:
        examples = list(dict.fromkeys(name for _, name in frames))[:3]
        raise ValueError(
            f'{frames[0][0]}: several numbers change from name to name ({", ".join(repr(name) for name in examples)}); '
            'which of them counts frames is not clear'
        )
    place = changing[0] if changing else -1
    return [_whole(where, int(group[place])) for (where, _), group in zip(frames, groups, strict=True)]
