"""Export of the persons of a ``poses.npz`` to other formats, in blocks of frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from posediff.export.base import BaseExporter
from posediff.export.exporters import build_exporters, checked_formats, write_motion
from posediff.export.motion import Motion, frame_blocks
from posediff.export.track_frames import COLUMNS, TrackSpan, find_tracks, open_track_frames, write_track_frames
from posediff.fileio.atomic_files import atomic_write_files
from posediff.fileio.pose_check import check_pose_file
from posediff.geometry.up_axis import estimate_up
from posediff.registry import EXPORTERS
from posediff.structures.skeletons import Skeleton

GROUP_FRAMES = 50_000
"""Most frames of persons that are written to temporary files in one pass over the results; about 25 MB. A longer track
gets a pass of its own."""
CLOCK_TOLERANCE = 1e-6  # s


def export_tracks(
    folder: str | Path, formats: str, options: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Path]:
    """Write every person of ``poses.npz`` in other formats, ``track<id>.<format>``: all files or none.

    Frames and times are those of the video: a person who appears at frame 15 starts there, see
    :class:`posediff.export.Motion`. The up axis is estimated from observed joints. If only observed joints were kept, a
    person whose hips or shoulders were never seen gets no BVH, which the description file states, and a person without
    joints gets no files. Frames without the person or its position are gaps. BVH has no gaps: they are interpolated
    linearly, and the description file lists them. A person without any known position is written relative to the root
    joint.

    Args:
        folder: Folder with ``poses.npz``.
        formats: Names of the formats, separated by commas.
        options: Constructor arguments of the exporters, by format; they replace ``track_options``.

    Raises:
        FileNotFoundError: There is no ``poses.npz``.
        ValueError: A format is unknown, or ``poses.npz`` is damaged or has no persons; see also
            :func:`posediff.export.export_motion`.
    """
    source, names = Path(folder) / 'poses.npz', checked_formats(formats)
    skeleton, fps = check_pose_file(source, COLUMNS)
    chosen = {name: {**EXPORTERS.module_dict[name].track_options, **(options or {}).get(name, {})} for name in names}
    exporters = build_exporters(names, {**(options or {}), **chosen})
    written: dict[int, list[str]] = {}
    with atomic_write_files(folder) as drafts:
        for group in _groups(find_tracks(source)):
            with TemporaryDirectory(dir=folder, prefix='.', ignore_cleanup_errors=True) as maps:
                write_track_frames(source, group, skeleton.num_joints, Path(maps))
                for track, span in group.items():
                    frames = open_track_frames(Path(maps), track, skeleton.num_joints)
                    motion = _motion(frames, track, span, skeleton, fps)
                    if motion is not None:
                        refused = _refused(motion, exporters)
                        possible = [exporter for name, exporter in exporters.items() if name not in refused]
                        written[track] = write_motion(motion, drafts / f'track{track}', possible, refused)
    return [Path(folder) / name for track in sorted(written) for name in written[track]]


def _groups(tracks: Mapping[int, TrackSpan]) -> Iterator[dict[int, TrackSpan]]:
    """Yield groups of tracks to read together."""
    group: dict[int, TrackSpan] = {}
    frames = 0
    for track, span in sorted(tracks.items()):
        length = span.last + 1 - span.first
        if group and frames + length > GROUP_FRAMES:
            yield group
            group, frames = {}, 0
        group[track] = span
        frames += length
    if group:
        yield group


def _motion(frames: np.ndarray, track: int, span: TrackSpan, skeleton: Skeleton, fps: float) -> Motion | None:
    """Return the motion of a person from the records of the frames; None if no joint is known."""
    first = span.first
    if span.first_placed is not None and span.last_placed is not None:
        frames, first = frames[span.first_placed - first : span.last_placed + 1 - first], span.first_placed
    blocks = list(frame_blocks(len(frames)))
    if not any(np.isfinite(frames['joints_3d'][block]).all(-1).any() for block in blocks):
        return None
    regular = all(
        np.abs(frames['time_s'][block] - np.arange(first + block.start, first + block.stop) / fps).max()
        < CLOCK_TOLERANCE
        for block in blocks
    )
    up = estimate_up(frames['joints_3d'], skeleton, used=frames['shown'])
    return Motion(
        frames['joints_3d'],
        skeleton,
        fps,
        absolute=span.placed,
        track_id=track,
        observed=frames['observed'],
        joint_observed=frames['joint_observed'],
        root_observed=frames['root_observed'],
        first_frame=first,
        times_s=None if regular else frames['time_s'],
        up=up.up,
        up_source=up.source,
        up_note=up.note,
        radius_90=frames['radius_90'],
    )


def _refused(motion: Motion, exporters: Mapping[str, BaseExporter]) -> dict[str, str]:
    """Return the formats that cannot hold the motion, with the reasons."""
    reasons = {name: exporter.refusal(motion) for name, exporter in exporters.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}
