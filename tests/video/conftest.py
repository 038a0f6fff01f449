"""Small videos of all kinds, written with PyAV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HEIGHT, WIDTH = 48, 64


def picture(number: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Create an image whose grey value encodes the number, with white at the top left."""
    image = np.full((height, width, 3), 8 * (number % 26) + 16, np.uint8)
    image[: height // 4, : width // 4] = 255
    return image


@pytest.fixture(scope='session')
def numbers() -> Callable[[Any], list[int]]:
    """Return the numbers (modulo 26) of the pictures in the frames of a video."""

    def read(video: Any) -> list[int]:
        return [round((float(frame.image[HEIGHT // 2, WIDTH // 2].mean()) - 16) / 8) for frame in video]

    return read


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a video of pictures 0, 1, 2 … at given times.

    It takes the file name, the times in multiples of ``unit`` seconds (or a number of pictures), and the unit; a codec
    and its options, the container's options and format.
    """
    av = pytest.importorskip('av')

    def write(
        name: str,
        times: int | Sequence[int],
        unit: Fraction = Fraction(1, 30),
        codec: str = 'libx264',
        codec_options: dict[str, str] | None = None,
        rate: Fraction | None = None,
        pix_fmt: str = 'yuv420p',
        **container: Any,
    ) -> Path:
        path = tmp_path / name
        with av.open(f'file:{path}', 'w', **container) as file:
            stream = file.add_stream(codec, rate=rate or 1 / unit)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix_fmt
            stream.codec_context.time_base = unit
            stream.options = codec_options or {}
            for number, time in enumerate(range(times) if isinstance(times, int) else times):
                frame = av.VideoFrame.from_ndarray(picture(number), format='rgb24').reformat(format=pix_fmt)
                frame.pts, frame.time_base = time, unit
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
        return path

    return write
