"""Persons of a ``poses.npz`` as one record per frame, in files that are read as memory maps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posediff.export.gap_filling import interpolated
from posediff.export.motion import frame_blocks
from posediff.fileio.pose_reader import read_rows
from posediff.fileio.shown_joints import lifter_window, near_observed

WRITE_FRAMES = 2048  # written at a time
COLUMNS = (
    *('frame_index', 'time_s', 'track_id', 'observed', 'joints_3d', 'root_position'),
    *('joint_observed', 'root_observed', 'joints_3d_radius_90'),
)


@dataclass
class TrackSpan:
    """The frames of the video in which a ``poses.npz`` contains a person.

    Attributes:
        rows: Number of the person's rows.
        first, last: Index of the person's first and last frame in the video, from 0.
        first_placed, last_placed: Index of the first and last frame with a known root position; None: there is none.
    """

    rows: int
    first: int
    last: int
    first_placed: int | None = None
    last_placed: int | None = None

    @property
    def placed(self) -> bool:
        """True if the position is known in at least one frame."""
        return self.first_placed is not None


def find_tracks(source: Path) -> dict[int, TrackSpan]:
    """Return the spans of all persons of a ``poses.npz``, by track id."""
    spans: dict[int, TrackSpan] = {}
    for part in read_rows(source, ['frame_index', 'track_id', 'root_position']):
        is_placed = np.isfinite(part['root_position']).all(-1)
        for track in np.unique(part['track_id']).tolist():
            own = part['track_id'] == track
            frames, placed = part['frame_index'][own].tolist(), part['frame_index'][own & is_placed].tolist()
            span = spans.setdefault(track, TrackSpan(0, frames[0], frames[-1]))
            span.rows += len(frames)
            span.last = frames[-1]
            if placed:
                span.first_placed = placed[0] if span.first_placed is None else span.first_placed
                span.last_placed = placed[-1]
    return spans


def write_track_frames(source: Path, spans: Mapping[int, TrackSpan], num_joints: int, folder: Path) -> None:
    """Write the persons in ``spans`` to one file each, ``folder/<track id>``, with one record per frame of the span.

    If the position of a person is known in some frames, ``joints_3d`` are absolute, and NaN in frames without it.
    """
    empty = np.zeros(WRITE_FRAMES, record(num_joints))
    empty['joints_3d'] = np.nan
    empty['time_s'] = np.nan
    empty['radius_90'] = np.nan
    for track, span in spans.items():
        with (folder / str(track)).open('wb') as file:  # written, not only mapped: a full disk is an OSError here
            for start in range(span.first, span.last + 1, WRITE_FRAMES):
                file.write(empty[: span.last + 1 - start].tobytes())
    for part in read_rows(source, COLUMNS):
        for track in spans.keys() & set(part['track_id'].tolist()):
            own = part['track_id'] == track
            rows = {name: values[own] for name, values in part.items()}
            joints = rows['joints_3d'].astype(np.float64)
            if spans[track].placed:
                joints += rows['root_position'][:, None]
            frames = open_track_frames(folder, track, num_joints, 'r+')
            places = rows['frame_index'] - spans[track].first
            written = {'joints_3d': joints, **{name: rows[name] for name in ('time_s', 'observed', 'joint_observed')}}
            written['root_observed'] = rows['root_observed']
            written['radius_90'] = rows['joints_3d_radius_90']
            for name, values in written.items():
                frames[name][places] = values
    for track in spans:
        _complete(open_track_frames(folder, track, num_joints, 'r+'), lifter_window(source))


def record(num_joints: int) -> np.dtype:
    """Return the structured dtype of one frame.

    ``shown`` is ``joint_shown`` of :class:`posediff.fileio.shown_joints.DrawnPerson`; the other fields are those of
    :class:`posediff.export.motion.Motion`.
    """
    return np.dtype(
        [
            ('joints_3d', np.float64, (num_joints, 3)),
            ('time_s', np.float64),
            ('observed', bool),
            ('root_observed', bool),
            ('joint_observed', bool, (num_joints,)),
            ('shown', bool, (num_joints,)),
            ('radius_90', np.float32, (num_joints,)),
        ]
    )


def open_track_frames(folder: Path, track: int, num_joints: int, mode: str = 'r') -> np.ndarray:
    """Return the records (F,) of a person as a memory map."""
    return np.memmap(folder / str(track), record(num_joints), mode)  # type: ignore[call-overload]


def _complete(frames: np.ndarray, window: float) -> None:
    """Set ``shown``, interpolate the times of frames without a row, and clear flags of unknown joints."""
    for times, block in zip(interpolated(frames['time_s'][:, None, None], [0]), frame_blocks(len(frames)), strict=True):
        frames['time_s'][block] = times[:, 0, 0]
    for block in frame_blocks(len(frames)):
        near = _around(frames['time_s'], block, window)
        shown = near_observed(frames['time_s'][near], frames['joint_observed'][near], window)
        frames['shown'][block] = shown[block.start - near.start :][: block.stop - block.start]
    for block in frame_blocks(len(frames)):
        known = np.isfinite(frames['joints_3d'][block]).all(-1)
        frames['joint_observed'][block] &= known
        for name in ('observed', 'root_observed'):
            frames[name][block] &= known.any(-1)


def _around(times: np.ndarray, block: slice, window: float) -> slice:
    """Return the frames whose times are at most ``window`` seconds from those of a block."""
    first, last = times[block.start] - window - 1e-9, times[block.stop - 1] + window + 1e-9
    return slice(bisect_left(times, first), bisect_right(times, last))  # NumPy's search would copy a memory map
