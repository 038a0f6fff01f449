"""Read a ``poses.npz`` in parts, with constant memory."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np

from posediff.structures.results import FrameResult, PersonPose

PART_ROWS = 2000
NEEDED_FOR = {
    'joint_observed': ('observed', 'joints_3d'),
    'root_observed': ('observed', 'root_position'),
    'joints_3d_radius_90': ('observed', 'joints_3d'),
}
"""Columns that files of earlier versions lack, and the columns from which they are computed."""


def count_rows(path: str | Path) -> int:
    """Return the number of rows of the file, one per person and frame."""
    with zipfile.ZipFile(path) as archive, archive.open('frame_index.npy') as file:
        return read_header(file)[0][0]


def read_rows(path: str | Path, names: Sequence[str], every: int = 1) -> Iterator[dict[str, np.ndarray]]:
    """Yield columns of a file in parts.

    Files of earlier versions do not state which joints and root positions were observed; all finite ones of an observed
    person are then treated as observed. ``joints_3d_radius_90`` of such files is NaN.

    Args:
        path: A ``poses.npz``.
        names: Names of the columns.
        every: Only rows whose index is a multiple of this number are returned.

    Yields:
        Column name to (n, …), in order; n is at most :data:`PART_ROWS`.
    """
    with zipfile.ZipFile(path) as archive, ExitStack() as stack:
        lacking = [name for name in names if name in NEEDED_FOR and f'{name}.npy' not in archive.namelist()]
        stored = [name for name in names if name not in lacking]
        stored += [name for column in lacking for name in NEEDED_FOR[column]]
        files = {name: stack.enter_context(archive.open(f'{name}.npy')) for name in dict.fromkeys(stored)}
        headers = {name: read_header(file) for name, file in files.items()}
        total = min(shape[0] for shape, _ in headers.values())
        for start in range(0, total, PART_ROWS):
            count = min(PART_ROWS, total - start)
            part = {}
            for name, (shape, dtype) in headers.items():
                content = files[name].read(count * math.prod(shape[1:]) * dtype.itemsize)
                part[name] = np.frombuffer(bytearray(content), dtype).reshape(count, *shape[1:])[
                    -start % every :: every
                ]
            made = {name: _made(part, name) for name in lacking}
            yield {name: made[name] if name in made else part[name] for name in names}


def _made(part: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Return a column that a file of an earlier version lacks.

    Flags are (n,) or (n, J) bool: the person was observed and the position is finite. The radius (n, J) is NaN.
    """
    column = NEEDED_FOR[name][1]
    if name == 'joints_3d_radius_90':
        return np.full_like(part[column][..., 0], np.nan)
    known = np.isfinite(part[column]).all(-1)
    return np.asarray(known & part['observed'].reshape(-1, *(1,) * (known.ndim - 1)))


def read_results(path: str | Path) -> Iterator[FrameResult]:
    """Yield the frames of a ``poses.npz`` that contain persons, in order."""
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


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Read the header of an ``.npy`` file: shape and dtype of the array that follows."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype
