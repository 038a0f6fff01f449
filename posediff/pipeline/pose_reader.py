"""Read a ``poses.npz`` part by part, in memory that does not grow with it."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np

from posediff.pipeline.results import FrameResult, PersonPose

PART_ROWS = 2000


def count_rows(path: str | Path) -> int:
    """Rows of the file, one for a person and frame."""
    with zipfile.ZipFile(path) as archive, archive.open('frame_index.npy') as file:
        return _header(file)[0][0]


def read_rows(path: str | Path, names: Sequence[str], every: int = 1) -> Iterator[dict[str, np.ndarray]]:
    """Parts of the columns of a file.

    Args:
        path: A ``poses.npz``.
        names: Of the columns.
        every: Of this many rows only the first.

    Yields:
        Name to (n, …), in order; n is at most :data:`PART_ROWS`.
    """
    with zipfile.ZipFile(path) as archive, ExitStack() as stack:
        files = {name: stack.enter_context(archive.open(f'{name}.npy')) for name in names}
        headers = {name: _header(file) for name, file in files.items()}
        total = min(shape[0] for shape, _ in headers.values())
        for start in range(0, total, PART_ROWS):
            count = min(PART_ROWS, total - start)
            part = {}
            for name, (shape, dtype) in headers.items():
                content = files[name].read(count * math.prod(shape[1:]) * dtype.itemsize)
                part[name] = np.frombuffer(bytearray(content), dtype).reshape(count, *shape[1:])[
                    -start % every :: every
                ]
            yield part


def read_results(path: str | Path) -> Iterator[FrameResult]:
    """Frames of a ``poses.npz`` in which there is somebody, in order."""
    columns = list(PersonPose.__dataclass_fields__)
    people: list[PersonPose] = []
    now: tuple[int, float] | None = None
    for part in read_rows(path, ['frame_index', 'time_s', *columns]):
        for row, frame in enumerate(zip(part['frame_index'].tolist(), part['time_s'].tolist(), strict=True)):
            if now is not None and frame != now:
                yield FrameResult(*now, tuple(people))
                people = []
            now = frame
            people.append(PersonPose(**{name: part[name][row] for name in columns}))
    if now is not None:
        yield FrameResult(*now, tuple(people))


def sample_joints(path: str | Path, most: int) -> np.ndarray:
    """Joints in the camera frame (n, J, 3) mm of at most so many rows, spread evenly over the file."""
    every = max(1, math.ceil(count_rows(path) / most))
    parts = read_rows(path, ['joints_3d', 'root_position'], every)
    found = [part['joints_3d'] + part['root_position'][:, None] for part in parts]
    return np.concatenate(found) if found else np.empty((0, 1, 3), np.float32)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype
