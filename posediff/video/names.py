"""What the name of a video means: a file, a folder, a camera or an address."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

CAMERA = re.compile(r'(?:camera:)?([0-9]+)')
DEVICES = '/dev/video'  # where Linux has cameras, by number


@dataclass(frozen=True)
class Place:
    """Where a video is.

    Attributes:
        path: Of a file or folder; None for cameras and addresses.
        address: What FFmpeg opens.
        format: Of FFmpeg's demuxer; None: by content.
    """

    path: Path | None
    address: str
    format: str | None = None


def find(name: str | Path) -> Place:
    """Say where a video is.

    A file or folder that exists is read, whatever its name looks like; a ``Path`` is never a camera or an address. Then
    ``camera:7``, or the plain number 7, is the seventh camera, and ``scheme://…`` an address; ``file://`` is a file.

    Raises:
        FileNotFoundError: There is no such file or camera.
        ValueError: The name is that of a file and that of a camera.
    """
    text = str(name)
    if not text.strip():
        raise FileNotFoundError('the name of the video is empty')
    path = _existing(name)
    if path is not None and re.fullmatch(re.escape(DEVICES) + '[0-9]+', str(path)):
        return Place(None, str(path), 'v4l2')
    number = None if isinstance(name, Path) else CAMERA.fullmatch(text)
    device = Path(f'{DEVICES}{int(number[1])}') if number else None
    if path is not None:
        if number and device and device.exists():
            camera = str(device) if text.startswith('camera') else f'camera:{text}'
            raise ValueError(f'{text} is a file here, and a camera: ./{text} names the file, {camera} the camera')
        return Place(path, file_address(path))
    if number and device:
        if not device.exists():
            raise FileNotFoundError(f'video {text} does not exist: there is no such file, and no camera {device}')
        return Place(None, str(device), 'v4l2')
    if '://' in text and not text.startswith('file://') and not isinstance(name, Path):
        return Place(None, text)
    raise FileNotFoundError(f'video {text} does not exist')


def file_address(path: Path) -> str:
    """A path as an address in which colons, percent signs and the like mean nothing to FFmpeg."""
    return f'file:{path.absolute()}'


def _existing(name: str | Path) -> Path | None:
    """The path that a name is of, if there is something."""
    text = str(name)
    if _exists(Path(text)):
        return Path(text)
    other: Path | None = None
    if text.startswith('file://') and not isinstance(name, Path):
        other = Path(unquote(urlsplit(text).path, errors='surrogateescape'))
    elif text.startswith('~'):
        other = Path(os.path.expanduser(text))  # as it is, where there is no such user
    return other if other is not None and _exists(other) else None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than a file's name may be, or with a null character
        return False
