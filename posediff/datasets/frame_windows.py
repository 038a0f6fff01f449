"""File names of the frames around a key frame."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np


@dataclass(frozen=True)
class FrameNumbering:
    """Naming scheme of a video's frames: ``<number, zero-filled>.<suffix>`` in one folder per video.

    The width is taken from the key frame's name: PoseTrack2017 has eight digits from 1, PoseTrack2018 and 21 have six
    from 0.

    Attributes:
        base: Number of the first frame.
    """

    base: int = 0

    def around(self, path: str, num_frames: int, offsets: Iterable[int]) -> list[str]:
        """Return the paths of the frames at ``offsets`` from a key frame, clamped to the video.

        Args:
            path: Path of the key frame, with slashes.
            num_frames: Number of frames of the video.
            offsets: Offsets in frames.

        Raises:
            ValueError: The name is not a number, or is outside the video.
        """
        name = PurePosixPath(path)
        number, last = frame_number(path), self.base + num_frames - 1
        if not self.base <= number <= last:
            raise ValueError(
                f'{path}: frame {number} lies outside {self.base}..{last}, the {num_frames} frames of its video '
                f'numbered from {self.base}'
            )
        numbers = np.clip([number + offset for offset in offsets], self.base, last)
        width = len(name.stem)
        return [str(name.with_name(f'{other:0{width}d}{name.suffix}')) for other in numbers]


def frame_number(path: str) -> int:
    """Return the number in the name of a frame, for example 12 of ``000001_bonn/000012.jpg``.

    Raises:
        ValueError: The name is not a number.
    """
    stem = PurePosixPath(path).stem
    if not stem.isdecimal():
        raise ValueError(f'{path}: the name of a frame must be a number, as in 000012.jpg')
    return int(stem)


def fixed_offsets(num_frames: int, step: int) -> list[int]:
    """Return -δ·step … 0 … δ·step for ``num_frames`` = 2δ + 1, in temporal order."""
    delta = num_frames // 2
    return [step * index for index in range(-delta, delta + 1)]


def drawn_offsets(num_frames: int, reach: int, rng: np.random.Generator) -> list[int]:
    """Sample δ distinct frames on each side of the key frame within ``reach``, in temporal order."""
    delta = num_frames // 2
    before, after = (np.sort(rng.choice(reach, delta, replace=False) + 1) for _ in range(2))
    return [*(-before[::-1]).tolist(), 0, *after.tolist()]


def missing_files(paths: Sequence[str]) -> list[str]:
    """Return the paths that do not exist; every folder is listed once."""
    names: dict[str, set[str]] = {}
    missing = []
    for path in paths:
        folder, _, name = path.rpartition('/')
        if folder not in names:
            names[folder] = _names_in(folder)
        if name not in names[folder]:
            missing.append(path)
    return missing


def _names_in(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder or '.'))
    except (FileNotFoundError, NotADirectoryError):
        return set()
