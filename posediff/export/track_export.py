"""Export of the persons of a ``poses.npz`` to other formats, with one person in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posediff.export.base import BaseExporter
from posediff.export.exporters import build_exporters, checked_formats, write_motion
from posediff.export.motion import Motion
from posediff.fileio.atomic_files import replacing_together
from posediff.fileio.pose_reader import read_rows
from posediff.fileio.shown_joints import shown_joints
from posediff.geometry.up_axis import estimate_up
from posediff.registry import EXPORTERS
from posediff.structures.skeletons import Skeleton, get_skeleton

GROUP_ROWS = 50_000
"""Maximum rows of persons read together in one pass; longer tracks get a pass of their own. About 20 MB."""
CLOCK_TOLERANCE = 1e-6  # s
COLUMNS = (
    *('frame_index', 'time_s', 'track_id', 'observed', 'joints_3d', 'root_position'),
    *('joint_observed', 'root_observed'),
)


@dataclass
class _Track:
    """Number of rows of a person, and of rows with a known position."""

    rows: int = 0
    placed: int = 0


def export_tracks(folder: str | Path, formats: str) -> list[Path]:
    """Write every person of ``poses.npz`` in other formats, ``track<id>.<format>``: all files or none.

    Frames and times are those of the video: a person who appears at frame 15 starts there, see
    :class:`posediff.export.Motion`. The up axis is estimated from observed joints. If only observed joints were kept, a
    person whose hips or shoulders were never seen gets no BVH, which the description file states, and a person without
    joints gets no files. Frames without the person or its position are gaps. BVH has no gaps: they are interpolated
    linearly, and the description file lists them. A person without any known position is written relative to the root
    joint.

    Raises:
        ValueError: A format is unknown; see also :func:`posediff.export.export_motion`.
    """
    source, names = Path(folder) / 'poses.npz', checked_formats(formats)
    with np.load(source, allow_pickle=False) as arrays:
        skeleton, fps = get_skeleton(str(arrays['skeleton'])), float(arrays['fps'])
    exporters = build_exporters(names, {name: EXPORTERS.module_dict[name].track_options for name in names})
    written: dict[int, list[str]] = {}
    tracks = _tracks(source)
    with replacing_together(folder) as drafts:
        for group in _groups(tracks):
            for track, motion in _motions(source, group, tracks, skeleton, fps):
                refused = _refused(motion, exporters)
                possible = [exporter for name, exporter in exporters.items() if name not in refused]
                written[track] = write_motion(motion, drafts / f'track{track}', possible, refused)
    return [Path(folder) / name for track in sorted(written) for name in written[track]]


def _tracks(source: Path) -> dict[int, _Track]:
    tracks: dict[int, _Track] = {}
    for part in read_rows(source, ['track_id', 'root_position']):
        placed = np.isfinite(part['root_position']).all(-1)
        for track, is_placed in zip(part['track_id'].tolist(), placed.tolist(), strict=True):
            known = tracks.setdefault(track, _Track())
            known.rows += 1
            known.placed += is_placed
    return tracks


def _groups(tracks: dict[int, _Track]) -> Iterator[set[int]]:
    """Yield groups of tracks to read together."""
    group: set[int] = set()
    rows = 0
    for track in sorted(tracks):
        if group and rows + tracks[track].rows > GROUP_ROWS:
            yield group
            group, rows = set(), 0
        group.add(track)
        rows += tracks[track].rows
    if group:
        yield group


def _motions(
    source: Path, group: set[int], tracks: dict[int, _Track], skeleton: Skeleton, fps: float
) -> Iterator[tuple[int, Motion]]:
    parts: dict[int, list[dict[str, np.ndarray]]] = {track: [] for track in group}
    shown, row = shown_joints(source), 0
    for part in read_rows(source, COLUMNS):
        part['joint_shown'] = shown[row : row + len(part['track_id'])]
        row += len(part['track_id'])
        for track in group.intersection(part['track_id'].tolist()):
            own = part['track_id'] == track
            if tracks[track].placed:
                own &= np.isfinite(part['root_position']).all(-1)
            parts[track].append({name: values[own] for name, values in part.items()})
    for track in sorted(group):
        motion = _motion(track, parts.pop(track), skeleton, fps, absolute=tracks[track].placed > 0)
        if motion is not None:
            yield track, motion


def _motion(
    track: int, parts: Iterable[dict[str, np.ndarray]], skeleton: Skeleton, fps: float, absolute: bool
) -> Motion | None:
    rows = {name: np.concatenate([part[name] for part in parts]) for name in (*COLUMNS, 'joint_shown')}
    first = int(rows['frame_index'][0])
    places = rows['frame_index'] - first
    count = int(places[-1]) + 1

    def spread(name: str, empty: float = 0) -> np.ndarray:
        """Expand a column to one row per frame, from the first to the last."""
        column = np.full((count, *rows[name].shape[1:]), empty, np.float64 if np.isnan(empty) else bool)
        column[places] = rows[name]
        return column

    if absolute:
        rows['joints_3d'] = rows['joints_3d'].astype(np.float64) + rows['root_position'][:, None]
    joints, shown = spread('joints_3d', np.nan), spread('joint_shown')
    known = np.isfinite(joints).all(-1)
    if not known.any():
        return None
    up = estimate_up(np.where(shown[..., None], joints, np.nan), skeleton)
    regular = np.abs(rows['time_s'] - rows['frame_index'] / fps).max() < CLOCK_TOLERANCE
    return Motion(
        joints,
        skeleton,
        fps,
        absolute=absolute,
        track_id=track,
        observed=spread('observed') & known.any(-1),
        joint_observed=spread('joint_observed') & known,
        root_observed=spread('root_observed') & known.any(-1),
        first_frame=first,
        times_s=None if regular else np.interp(np.arange(count), places, rows['time_s']),
        up=up.up,
        up_source=up.source,
        up_note=up.note,
    )


def _refused(motion: Motion, exporters: Mapping[str, BaseExporter]) -> dict[str, str]:
    """Return the formats that cannot hold the motion, with the reasons."""
    reasons = {name: exporter.refusal(motion) for name, exporter in exporters.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}
