"""Folders of images, photos and animated images as video sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posediff.video.pictures import MAX_FPS, PHOTO_FPS, Picture, PictureSource
from posediff.video.rate import best_rate

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.webp', '.tif', '.tiff', '.ppm', '.pgm', '.pnm')
OTHER_SUFFIXES = ('.heic', '.heif', '.avif', '.gif', '.jp2', '.exr', '.dng', '.cr2', '.cr3', '.nef', '.arw', '.tga')
SHOWN = 3  # number of names in a message


def images_of(path: Path) -> list[Path] | None:
    """Return the images of a folder in natural order, or a single photo; None for other files.

    Hidden files, such as those of macOS (``._0001.jpg``), are skipped.

    Raises:
        ValueError: The folder has no image, or the same name in two formats (``7.jpg`` and ``7.png``); or a TIFF file
            has several pages.
    """
    if not path.is_dir():
        _refuse_pages(path)
        return [path] if path.suffix.lower() in IMAGE_SUFFIXES and not is_animated(path) else None
    found = [file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES and file.name[0] != '.']
    found = sorted((file for file in found if file.is_file()), key=natural_order)
    if not found:
        raise ValueError(f'{path} is a folder without images ({", ".join(IMAGE_SUFFIXES)})')
    first: dict[str, Path] = {}
    for file in found:
        if first.setdefault(file.stem, file) is not file:
            raise ValueError(f'{path} has {first[file.stem].name} and {file.name}: keep one of them')
    return found


def _refuse_pages(path: Path) -> None:
    """Raise ValueError for a TIFF with several pages, of which only the first would be read; it states no rate."""
    if path.suffix.lower() not in ('.tif', '.tiff') or not path.is_file():
        return
    import cv2

    pages = cv2.imcount(str(path))
    if pages > 1:
        raise ValueError(f'{path} holds {pages} pictures: save each of them as an image, in one folder')


def other_pictures(folder: Path) -> str | None:
    """Return a sentence about the images of a folder in unsupported formats; None if there are none."""
    names = sorted(
        file.name for file in folder.iterdir() if file.suffix.lower() in OTHER_SUFFIXES and file.name[0] != '.'
    )
    if not names:
        return None
    return f'{folder}: {len(names)} pictures have unsupported formats and are left out: {_listed(names)}'


def _listed(names: list[str]) -> str:
    return ', '.join(names[:SHOWN]) + (', …' if len(names) > SHOWN else '')


def natural_order(path: Path) -> tuple[list[str | int], str]:
    """Return a sort key that orders file names with numbers by value: frame_2 before frame_10, whatever the padding.

    A hyphen is a minus sign at the start of a name and after an underscore (frame_-1), otherwise a separator. Case is
    ignored, since cameras and copy programs mix IMG_1.JPG and img_2.jpg.
    """
    parts = re.split(r'((?:(?<=_)-|^-)?[0-9]+)', path.stem.casefold())
    return [int(part) if number % 2 else part for number, part in enumerate(parts)], path.name


def is_animated(path: Path) -> bool:
    """Return whether a PNG or WebP has several pictures."""
    if path.suffix.lower() not in ('.png', '.webp') or not path.is_file():
        return False
    with path.open('rb') as file:
        head = file.read(4096)
    if head.startswith(b'\x89PNG'):
        return b'acTL' in head.partition(b'IDAT')[0]
    return head[:4] == b'RIFF' and head[12:16] == b'VP8X' and bool(head[20] & 2)


class Images(PictureSource):
    """Images of a folder, or a photo, rotated upright by their EXIF orientation.

    Args:
        name: Name for messages.
        paths: Paths in order.
    """

    def __init__(self, name: str, paths: list[Path]) -> None:
        super().__init__(name)
        self.paths, self.num_pictures, self.is_stamped = paths, len(paths), False
        self.fps = PHOTO_FPS if len(paths) == 1 else None
        self._unread: list[str] = []
        self.img_shape = next((picture.image.shape[:2] for picture in self), None)

    def __iter__(self) -> Iterator[Picture]:
        """Yield the images, numbered including unreadable ones."""
        from posediff.fileio.images import read_image

        self._unread = []
        for number, path in enumerate(self.paths):
            try:
                image = read_image(str(path))
            except ValueError:
                self._unread.append(path.name)
            else:
                stamp = None if self.fps is None else number / self.fps
                yield Picture(number, stamp, np.ascontiguousarray(image[..., ::-1]))

    @property
    def complaint(self) -> str | None:
        return f'{len(self._unread)} of its images cannot be read ({_listed(self._unread)})' if self._unread else None


class Animation(PictureSource):
    """An animated WebP, which FFmpeg does not decode.

    Args:
        name: Name for messages.
        path: The file.

    Raises:
        ValueError: The file is damaged.
    """

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name)
        self.path = path
        _, ends = self._read()
        self.stretches = (np.array([0.0, *ends[:-1]]),)
        self.num_pictures, self.length_s = len(ends), ends[-1]
        self.fps = best_rate(self.stretches, (), 1e-3, MAX_FPS) or PHOTO_FPS
        self.img_shape = next(picture.image.shape[:2] for picture in self)

    def __iter__(self) -> Iterator[Picture]:
        frames, ends = self._read()
        for number, (start, image) in enumerate(zip([0.0, *ends[:-1]], frames, strict=True)):
            yield Picture(number, start, np.ascontiguousarray(image[..., 2::-1]))

    def _read(self) -> tuple[list[np.ndarray], list[float]]:
        import cv2

        content = np.fromfile(self.path, np.uint8)
        read, animation = cv2.imdecodeanimation(content) if len(content) else (False, None)
        if not read or animation is None or not len(animation.frames):
            raise ValueError(f'{self.name} is not a readable animation (truncated?): {len(content)} bytes')
        return list(animation.frames), (np.cumsum(np.asarray(animation.durations, float)) / 1000).tolist()
