"""Export in several formats at once, by the names of the exporters in their registry."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from posediff.export.base import BaseExporter
from posediff.export.frame_ranges import FrameRanges
from posediff.export.motion import Motion, plain
from posediff.fileio.atomic_files import atomic_write_files
from posediff.geometry.up_axis import y_up_rotation
from posediff.plugins.entry_points import load_plugins
from posediff.registry import EXPORTERS

SIDECAR = '.export.json'


def export_motion(
    motion: Motion,
    path_without_suffix: str | Path,
    formats: str | Iterable[str],
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Path]:
    """Write a motion in several formats, with a description file: all files or none.

    Args:
        motion: The motion. A missing ``up`` is estimated.
        path_without_suffix: ``out/walk`` gives ``out/walk.bvh`` …, and ``out/walk.export.json`` with axes, units,
            source of the up axis, gaps and filled frames.
        formats: Names in the registry ``EXPORTERS``, plugins' included; one string may list several, separated by
            commas.
        options: Constructor arguments of the exporters, by format: ``{'bvh': {'gaps': 'interpolate'}}``.

    Returns:
        The files, in the order of ``formats``, with the description file last.

    Raises:
        ValueError: A format or an option is unknown, or a format cannot hold the motion.
        ImportError: The package that writes a format is not installed.
    """
    target = Path(path_without_suffix)
    names = checked_formats(formats)
    if any(target.name.endswith(exporter.suffix) for exporter in EXPORTERS.module_dict.values()):
        raise ValueError(f'{target}: give the path without its suffix, which depends on the format')
    exporters = build_exporters(names, options or {})
    motion = motion.with_up()
    with atomic_write_files(target.parent) as folder:
        files = write_motion(motion, folder / target.name, exporters.values())
    return [target.with_name(name) for name in files]


def write_motion(
    motion: Motion, draft: Path, exporters: Iterable[BaseExporter], refused: Mapping[str, str] | None = None
) -> list[str]:
    """Write a motion that has an ``up`` in several formats, with a description file.

    Args:
        motion: The motion.
        draft: Output path without its suffix, in the temporary folder whose files are moved to their place at the end.
        exporters: One exporter per format.
        refused: Requested formats that are not written, with the reasons.

    Returns:
        Names of the files, in order.
    """
    files = {}
    for exporter in exporters:
        file = draft.with_name(f'{draft.name}{exporter.suffix}')
        files[file.name] = exporter(motion, file)
    sidecar = draft.with_name(f'{draft.name}{SIDECAR}')
    about = _description(motion, files) | ({'not_written': dict(refused)} if refused else {})
    sidecar.write_text(json.dumps(about, indent=1, allow_nan=False) + '\n')
    return [*files, sidecar.name]


def checked_formats(formats: str | Iterable[str]) -> list[str]:
    """Return the names of formats without duplicates; plugins are loaded first.

    Raises:
        ValueError: No format is given, one is unknown, or two write files of the same name.
    """
    load_plugins()
    EXPORTERS.import_from_location()
    known = EXPORTERS.module_dict
    names = [name.strip() for name in (formats.split(',') if isinstance(formats, str) else formats)]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        asked = ', '.join(map(repr, unknown)) or 'none'
        raise ValueError(f'unknown export format: {asked}; known: {", ".join(sorted(known))}')
    by_suffix: dict[str, str] = {}
    for name in names:
        other = by_suffix.setdefault(known[name].suffix, name)
        if other != name:
            raise ValueError(f'the export formats {other!r} and {name!r} both write files *{known[name].suffix}')
    return list(dict.fromkeys(names))


def build_exporters(names: Iterable[str], options: Mapping[str, Mapping[str, Any]]) -> dict[str, BaseExporter]:
    """Build the exporters of checked names.

    Args:
        names: Names of the formats.
        options: Constructor arguments, by format.

    Raises:
        ValueError: Options are for a format that is not requested, unknown, or out of range.
    """
    names = list(names)
    for name, given in options.items():
        if name not in names:
            raise ValueError(f'options of {name!r}, which is not among the formats to write: {", ".join(names)}')
        known = list(inspect.signature(EXPORTERS.module_dict[name]).parameters)
        wrong = [option for option in given if option not in known]
        if wrong:
            raise ValueError(f'{name} has no option {wrong[0]!r}; it has: {", ".join(known) or "none"}')
    return {name: EXPORTERS.build({'type': name, **options.get(name, {})}) for name in names}


def _description(motion: Motion, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    gaps, filled, neighbours = FrameRanges(), FrameRanges(), FrameRanges()
    unseen = {name: FrameRanges() for name in motion.joint_names}
    ever_seen = np.zeros(len(unseen), bool)
    for block in motion.blocks():
        observed, seen = np.asarray(block.observed), block.seen
        gaps.add(block.gaps)
        filled.add(~(observed | block.gaps))
        neighbours.add(np.asarray(observed & ~block.placed))
        ever_seen |= seen.any(0)
        for joint, ranges in enumerate(unseen.values()):
            ranges.add(np.asarray(observed & ~seen[:, joint]))
    last = motion.num_frames - 1
    first_s, last_s = (float(motion.part(slice(frame, frame + 1)).clock[0]) for frame in (0, last))
    return {
        'schema': 'posediff-export',
        'schema_version': 1,
        'files': files,
        'skeleton': motion.skeleton.name,
        'joint_names': list(motion.joint_names),
        'track_id': int(motion.track_id),
        'fps': float(motion.fps),
        'num_frames': motion.num_frames,
        'start_frame': int(motion.first_frame),
        'start_time_s': round(first_s, 6),
        'end_time_s': round(last_s, 6),
        'positions': 'absolute: the camera is the origin' if motion.absolute else 'relative to the root joint',
        'up_source': motion.up_source,
        'up_note': motion.up_note,
        'up_camera_axes': plain(motion.up),
        'camera_to_y_up': plain(y_up_rotation(np.asarray(motion.up))),
        'frames_below': 'counted from 0 at start_frame',
        'gap_frames': gaps.found,
        'filled_frames': filled.found,
        'frames_with_place_of_neighbours': neighbours.found,
        'never_seen_joints': [name for name, seen in zip(unseen, ever_seen.tolist(), strict=True) if not seen],
        'unseen_joint_frames': {name: ranges.found for name, ranges in unseen.items() if ranges.found},
    }
