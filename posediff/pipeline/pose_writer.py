"""Writer of ``poses.npz`` and ``poses.json`` with constant memory."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.atomic_files import atomic_write
from posediff.pipeline.stature import check_height, statures
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeletons import Skeleton

SCHEMA, SCHEMA_VERSION = 'posediff-people-3d', 1
UNITS = {
    'keypoints_2d': 'px', 'joints_3d': 'mm, camera axes (x right, y down, z forward), relative to the root joint',
    'joints_3d_std': 'mm', 'joints_3d_radius_90': 'mm', 'root_position': 'mm, camera axes, of the root joint',
    'time_s': 's', 'box': 'px',
}  # fmt: skip
PART_ROWS = 2000  # a temporary file is written as soon as there are this many rows
DIGITS = {
    'keypoints_2d': 2, 'keypoint_scores': 3, 'joints_3d': 1, 'joints_3d_std': 1, 'joints_3d_radius_90': 1,
    'root_position': 1, 'box': 1,
}  # fmt: skip


@dataclass(frozen=True)
class PosesHeader:
    """The metadata of a result file, common to all rows.

    Attributes:
        source: Skeleton of the 2D keypoints.
        target: Skeleton of the 3D joints.
        fps: Frame rate.
        img_shape: (h, w) px.
        facts: Additional entries of the header: camera, components, approximated joints, …
    """

    source: Skeleton
    target: Skeleton
    fps: float
    img_shape: tuple[int, int]
    facts: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the header as it is written to the files."""
        return {
            'schema': SCHEMA,
            'schema_version': SCHEMA_VERSION,
            'fps': float(self.fps),
            'img_shape': list(self.img_shape),
            'skeleton': self.target.name,
            'joint_names': list(self.target.joint_names),
            'parents': list(self.target.parents),
            'root_joint': self.target.joint_names[self.target.root],
            'keypoint_skeleton': self.source.name,
            'keypoint_names': list(self.source.joint_names),
            'units': UNITS,
            **self.facts,
        }


class PoseWriter:
    """A writer of results, one row per person and frame; rows are kept in temporary files until :meth:`finish`.

    Args:
        folder: Folder of the result files. Temporary files are in its hidden folder ``.rows``; those of an earlier run
            are deleted.
        header: See :class:`PosesHeader`.
        height_m: Height of all persons, m. Each track is scaled by one factor so that the median of its estimated
            heights equals it; root positions are scaled too, so the projection does not change. None: no scaling.
        seen_joints_only: Write NaN for joints that were not observed.

    Attributes:
        num_rows, num_frames: Numbers of rows and frames so far.
        num_unplaced: Number of rows of observed persons whose root position is interpolated from other frames.

    Raises:
        ValueError: The height is not in the range of persons.
    """

    def __init__(
        self, folder: str | Path, header: PosesHeader, height_m: float | None = None, seen_joints_only: bool = False
    ) -> None:
        self.height_m = None if height_m is None else check_height(height_m)
        self._statures: dict[int, list[float]] = defaultdict(list)
        self._scales: dict[int, float] = {}
        self.folder, self.header = Path(folder), header
        self.parts = self.folder / '.rows'
        if self.parts.exists():
            shutil.rmtree(self.parts)
        self.parts.mkdir(parents=True)
        self._rows: list[dict[str, Any]] = []
        self.num_rows = self.num_frames = self.num_unplaced = 0
        self.seen_joints_only = seen_joints_only
        if seen_joints_only:
            header.facts['seen_joints_only'] = True

    def add(self, result: FrameResult) -> None:
        """Add the result of the next frame."""
        self.num_frames += 1
        self._rows += [_row(result, person) for person in result.people]
        self.num_unplaced += sum(person.observed and not person.root_observed for person in result.people)
        if len(self._rows) >= PART_ROWS:
            self._write_part()

    def finish(self) -> tuple[Path, Path]:
        """Write both files atomically and delete the temporary files."""
        self._write_part()
        self._settle_scales()
        files = self.folder / 'poses.npz', self.folder / 'poses.json'
        with atomic_write(files[0]) as npz, atomic_write(files[1]) as text:
            self._write_npz(npz)
            self._write_json(text)
        shutil.rmtree(self.parts)
        return files

    def discard(self) -> None:
        """Delete the temporary files without writing results."""
        shutil.rmtree(self.parts, ignore_errors=True)

    def rows(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield blocks of n rows in order: name of the column → (n, …)."""
        for path in sorted(self.parts.glob('*.npz')):
            with np.load(path, allow_pickle=False) as part:
                yield self._scaled(dict(part))

    def _settle_scales(self) -> None:
        """Compute the scale of every track from the median of its estimated heights, and add it to the header."""
        if self.height_m is not None:
            height = 1000 * self.height_m
            self._scales = {track: height / float(np.median(values)) for track, values in self._statures.items()}
            scales = {str(track): round(scale, 4) for track, scale in self._scales.items()}
            self.header.facts['height'] = {'given_m': self.height_m, 'scale_of_track': scales}

    def _scaled(self, part: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Multiply the 3D columns of a block of rows by the scale of their track."""
        if self._scales:
            scale = np.array([self._scales[track] for track in part['track_id'].tolist()], np.float32)
            for name in ('joints_3d', 'joints_3d_std', 'joints_3d_radius_90', 'root_position'):
                part[name] = part[name] * scale.reshape(-1, *(1,) * (part[name].ndim - 1))
        return part

    def _write_part(self) -> None:
        if self._rows:
            columns: dict[str, Any] = {name: np.stack([row[name] for row in self._rows]) for name in self._rows[0]}
            if self.height_m is not None:
                tall = statures(columns['joints_3d'], self.header.target)
                for track, value in zip(columns['track_id'].tolist(), tall.tolist(), strict=True):
                    self._statures[track].append(value)
            if self.seen_joints_only:
                for name in ('joints_3d', 'joints_3d_std', 'joints_3d_radius_90'):
                    columns[name][~columns['joint_observed']] = np.nan
            self.num_rows += len(self._rows)
            with atomic_write(self.parts / f'{self.num_rows:09d}.npz') as draft:
                np.savez(draft, **columns)
            self._rows = []

    def _empty(self) -> dict[str, Any]:
        """Return a row of zeros, which has the shapes and dtypes of all columns."""
        person = PersonPose(
            0, True, np.zeros(4, np.float32), np.zeros((self.header.source.num_joints, 2), np.float32),
            np.zeros(self.header.source.num_joints, np.float32),
            np.zeros((self.header.target.num_joints, 3), np.float32),
            np.zeros(self.header.target.num_joints, np.float32), np.zeros(3, np.float32),
            np.ones(self.header.target.num_joints, bool), True,
        )  # fmt: skip
        return _row(FrameResult(0, 0.0, (person,)), person)

    def _write_npz(self, path: Path) -> None:
        """Write each array block by block, after its header."""
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name, example in self._empty().items():
                with archive.open(f'{name}.npy', 'w', force_zip64=True) as entry:
                    description = {
                        'descr': np.lib.format.dtype_to_descr(example.dtype),
                        'fortran_order': False,
                        'shape': (self.num_rows, *example.shape),
                    }
                    np.lib.format.write_array_header_2_0(entry, description)
                    for part in self.rows():
                        entry.write(np.ascontiguousarray(part[name]).tobytes())
            for name, value in _archived(self.header.as_dict()).items():
                with archive.open(f'{name}.npy', 'w') as entry:
                    np.lib.format.write_array(entry, np.asarray(value), allow_pickle=False)

    def _write_json(self, path: Path) -> None:
        with path.open('w') as file:
            head = {**self.header.as_dict(), 'num_frames': self.num_frames, 'num_rows': self.num_rows}
            file.write(json.dumps(head, indent=1, allow_nan=False)[:-2] + ',\n "rows": [')
            separator = '\n'
            for part in self.rows():
                for number in range(len(part['frame_index'])):
                    row = {name: _plain(name, values[number]) for name, values in part.items()}
                    file.write(f'{separator}  {json.dumps(row, allow_nan=False)}')
                    separator = ',\n'
            file.write('\n ]\n}\n')


def _row(result: FrameResult, person: PersonPose) -> dict[str, Any]:
    radius = person.joints_3d_radius_90
    return {
        'frame_index': np.int64(result.frame_index),
        'time_s': np.float64(result.time_s),
        'track_id': np.int64(person.track_id),
        'observed': np.bool_(person.observed),
        'box': person.box,
        'keypoints_2d': person.keypoints_2d,
        'keypoint_scores': person.keypoint_scores,
        'joints_3d': person.joints_3d,
        'joints_3d_std': person.joints_3d_std,
        'joints_3d_radius_90': np.full_like(person.joints_3d_std, np.nan) if radius is None else radius,
        'root_position': person.root_position,
        'joint_observed': person.joint_observed,
        'root_observed': np.bool_(person.root_observed),
    }


def _plain(name: str, value: np.ndarray) -> Any:
    """Return a value as JSON types: rounded, None for NaN."""
    if np.ndim(value) == 0:
        return round(value.item(), 6) if name == 'time_s' else value.item()
    if value.dtype == bool:
        return value.tolist()
    rounded = np.round(value.astype(np.float64), DIGITS[name])
    objects = rounded.astype(object)
    objects[~np.isfinite(rounded)] = None
    return objects.tolist()


def _archived(header: dict[str, Any]) -> dict[str, Any]:
    """Return the header as values that NumPy can store; dictionaries and None as JSON."""
    return {
        name: json.dumps(value) if isinstance(value, dict) or value is None else value for name, value in header.items()
    }
