"""Check that a ``poses.npz`` is whole before it is read in parts."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from posediff.fileio.pose_reader import NEEDED_FOR, read_header
from posediff.structures.skeletons import Skeleton, get_skeleton


def check_pose_file(path: str | Path, columns: Sequence[str]) -> tuple[Skeleton, float]:
    """Read a ``poses.npz`` once and check that its columns can be used.

    Args:
        path: The file.
        columns: Columns that it has to have. Those that :func:`posediff.fileio.pose_reader.read_rows` derives for files
            of earlier versions may be missing.

    Returns:
        Skeleton of the 3D joints, and frame rate.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is truncated or damaged, is not a result of ``posediff video``, or has no persons; the
            message names the file.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f'{file} does not exist')
    try:
        skeleton, fps, num_rows = _inspect(file, columns)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, LookupError, TypeError, ValueError) as error:
        reason = error.args[0] if error.args else type(error).__name__
        raise ValueError(f'{file} is not a readable result of posediff video: {reason}') from error
    if not num_rows:
        raise ValueError(f'{file} holds no persons')
    return skeleton, fps


def _inspect(file: Path, columns: Sequence[str]) -> tuple[Skeleton, float, int]:
    """Return the skeleton, the frame rate and the number of rows."""
    shapes = {}
    with zipfile.ZipFile(file) as archive:
        damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f'the checksum of {damaged.removesuffix(".npy")} is wrong')
        names = {name.removesuffix('.npy') for name in archive.namelist()}
        missing = [name for name in ('skeleton', 'fps', *columns) if name not in names.union(NEEDED_FOR)]
        if missing:
            raise ValueError(f'it has no {", ".join(missing)}')
        for name in names.intersection(columns):
            with archive.open(f'{name}.npy') as content:
                shapes[name], dtype = read_header(content)
            if dtype.hasobject:
                raise ValueError(f'{name} holds Python objects')
    with np.load(file, allow_pickle=False) as arrays:
        skeleton, fps = get_skeleton(str(arrays['skeleton'])), float(arrays['fps'])
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f'its frame rate is {fps}')
    return skeleton, fps, _num_rows(shapes, skeleton.num_joints)


def _num_rows(shapes: Mapping[str, tuple[int, ...]], num_joints: int) -> int:
    """Return the number of rows that all columns share."""
    of_a_person = {
        'joints_3d': (num_joints, 3), 'joint_observed': (num_joints,), 'root_position': (3,),
        'joints_3d_radius_90': (num_joints,),
    }  # fmt: skip
    for name, shape in shapes.items():
        if not shape or shape[1:] != of_a_person.get(name, ()):
            raise ValueError(f'{name} has shape {shape}, which does not fit its {num_joints} joints')
    counts = {name: shape[0] for name, shape in shapes.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f'its columns differ in length: {counts}')
    return next(iter(counts.values()))
