"""Registry of keypoint file formats; other packages may add formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from posediff.fileio.keypoint_files.contents import Contents
from posediff.fileio.keypoint_files.documents import Source


@dataclass(frozen=True)
class KeypointFormat:
    """A format of keypoint files.

    Attributes:
        name: Name on the command line.
        about: Short description.
        matches: Returns whether a source has this format, from its content; several matching formats are an error.
        read: Returns the content of a source, given the skeleton stated by the user, or None; its ``ValueError`` names
            the malformed entry.
    """

    name: str
    about: str
    matches: Callable[[Source], bool]
    read: Callable[[Source, str | None], Contents]


FORMATS: dict[str, KeypointFormat] = {}


def register_format(one: KeypointFormat) -> KeypointFormat:
    """Register a format.

    Raises:
        ValueError: The name is already registered.
    """
    if one.name in FORMATS:
        raise ValueError(f'a keypoint format {one.name!r} is registered already: {FORMATS[one.name].about}')
    FORMATS[one.name] = one
    return one


def _matches(one: KeypointFormat, source: Source) -> bool:
    """Return whether a source has a format; errors in the check count as no match."""
    try:
        return one.matches(source)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        return False


def find_format(source: Source, name: str | None = None) -> KeypointFormat:
    """Return the format of a source.

    Args:
        source: The source.
        name: Name stated by the user; None: detected from the content.

    Raises:
        ValueError: The format is unknown, or no format or several match; the message lists the known formats.
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
            f'{source.path}{held}: the format is not recognised; keypoints are read from: {listing}; state it '
            'with --format if it is one of them'
        )
    if len(found) > 1:
        raise ValueError(f'{source.path} may be {" or ".join(one.name for one in found)}: state it with --format')
    return found[0]
