"""Resolve the name of a video to a file, folder, camera or URL."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

CAMERA = re.compile(r'(?:camera:)?([0-9]+)')
DEVICES = '/dev/video'  # camera devices on Linux, by number


@dataclass(frozen=True)
class Place:
    """The location of a video.

    Attributes:
        path: Path of a file or folder; None for cameras and URLs.
        address: What FFmpeg opens.
        format: Name of FFmpeg's demuxer; None: detected from the content.
    """

    path: Path | None
    address: str
    format: str | None = None


def find(name: str | Path) -> Place:
    """Resolve the name of a video.

    An existing file or folder takes precedence over other meanings; a ``Path`` is never a camera or a URL. Otherwise
    ``camera:7``, or the plain number 7, is camera device 7, and ``scheme://…`` a URL; ``file://`` is a file.

    Raises:
        FileNotFoundError: The file or camera does not exist.
        ValueError: The name is both that of an existing file and that of an existing camera.
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
    """Return the FFmpeg URL of a path, in which colons, percent signs and the like have no special meaning."""
    return f'file:{path.absolute()}'


def _existing(name: str | Path) -> Path | None:
    """Return the existing path that a name refers to, or None."""
    text = str(name)
    if _exists(Path(text)):
        return Path(text)
    other: Path | None = None
    if text.startswith('file://') and not isinstance(name, Path):
        other = Path(unquote(urlsplit(text).path, errors='surrogateescape'))
    elif text.startswith('~'):
        other = Path(os.path.expanduser(text))  # unchanged if the user does not exist
    return other if other is not None and _exists(other) else None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # name too long, or contains a null character
        return False
