"""Write videos with PyAV: H.264 in MP4, atomically."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from posediff.fileio.atomic_files import atomic_write
from posediff.video.film import import_av
from posediff.video.names import file_address


class VideoWriter:
    """A context manager that writes a video file; the file appears only if the block succeeds.

    H.264 needs even sides: an odd side is padded by repeating the last row or column.

    Args:
        path: An ``.mp4`` file.
        fps: Frames per second.
        crf: Constant rate factor of x264: lower values give better quality and larger files.

    Raises:
        ValueError: An image is not (H, W, 3) uint8, or has another size than the first; or no image was written.
    """

    def __init__(self, path: str | Path, fps: float, crf: int = 23) -> None:
        self.path, self.fps, self.crf = Path(path), fps, crf
        self._stack = ExitStack()
        self._container: Any = None
        self._stream: Any = None
        self._shape: tuple[int, ...] | None = None

    def __enter__(self) -> VideoWriter:
        av = import_av()
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_write(self.path))
            self._container = stack.enter_context(
                av.open(file_address(temporary), 'w', format='mp4', options={'movflags': 'faststart'})
            )
            self._stack = stack.pop_all()
        self._stream = self._container.add_stream('libx264', rate=Fraction(self.fps).limit_denominator(65535))
        self._stream.pix_fmt = 'yuv420p'
        self._stream.options = {'crf': str(self.crf), 'preset': 'veryfast'}
        return self

    def write(self, image: np.ndarray) -> None:
        """Append an image (H, W, 3) uint8 RGB."""
        av = import_av()
        if image.ndim != 3 or image.shape[-1] != 3 or image.dtype != np.uint8:
            raise ValueError(f'{self.path}: an image must be (H, W, 3) uint8, got {image.shape} {image.dtype}')
        if self._shape is None:
            self._shape = image.shape
            self._stream.height, self._stream.width = (side + side % 2 for side in image.shape[:2])
        if image.shape != self._shape:
            raise ValueError(f'{self.path}: images must be {self._shape}, got {image.shape}')
        height, width = image.shape[:2]
        even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode='edge')
        for packet in self._stream.encode(av.VideoFrame.from_ndarray(even, format='rgb24')):
            self._container.mux(packet)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._stack:
            if error is not None:
                raise error
            if self._shape is None:
                raise ValueError(f'{self.path}: no image was given; no file was written')
            for packet in self._stream.encode():
                self._container.mux(packet)
