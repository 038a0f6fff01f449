"""The formats of keypoint files by name; other packages may add theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from posediff.fileio.keypoint_files.contents import Contents
from posediff.fileio.keypoint_files.documents import Source


@dataclass(frozen=True)
class KeypointFormat:
    """A format that keypoints are read from.

    Attributes:
        name: On the command line.
        about: What it is, in a few words.
        matches: Whether a source is of the format, from its content; more than one format that says so is an error.
        read: Hands over the content of a source, given the skeleton that the user names, or None; a ``ValueError``
            names the entry that is malformed.
    """

    name: str
    about: str
    matches: Callable[[Source], bool]
    read: Callable[[Source, str | None], Contents]


FORMATS: dict[str, KeypointFormat] = {}


def register_format(one: KeypointFormat) -> KeypointFormat:
    """Add a format.

    Raises:
        ValueError: There is one of that name.
    """
    if one.name in FORMATS:
        raise ValueError(f'a keypoint format {one.name!r} is registered already: {FORMATS[one.name].about}')
    FORMATS[one.name] = one
    return one


def _matches(one: KeypointFormat, source: Source) -> bool:
    """Whether a source is of a format; what a test of the content breaks on is not of its format."""
    try:
        return one.matches(source)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        return False


def find_format(source: Source, name: str | None = None) -> KeypointFormat:
    """The format of a source.

    Args:
        source: What is read.
        name: The user's word for it; None: recognised from the content.

    Raises:
        ValueError: There is no such format, or none recognises the content; the message lists what is read.
    """
    listing = '; '.join(f'{one.name} ({one.about})' for _, one in sorted(FORMATS.items()))
    if name is not None:
        if name not in FORMATS:
            raise ValueError(f'--format {name} is unknown; keypoints are read from: {listing}')
        return FORMATS[name]
    if source.kind == 'json' and source.document in ([], {}):
        raise ValueError(f'{source.path} holds no poses: it is an empty list or object')
    found = [one for one in FORMATS.values() if _matches(one, source)]
    if not found:
        held = f' (it holds {", ".join(source.arrays) or "nothing"})' if source.kind == 'npz' else ''
        raise ValueError(
            f'{source.path}{held}: the format is not recognised; keypoints are read from: {listing}; --format '
            'says which, if it is one of them'
        )
    if len(found) > 1:
        raise ValueError(f'{source.path} may be {" or ".join(one.name for one in found)}: say which with --format')
    return found[0]
