"""The formats by name, and one call that writes several of them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from posediff.export.bvh import write_bvh
from posediff.export.c3d import write_c3d
from posediff.export.csv_table import write_csv
from posediff.export.motion import Motion, frame_ranges, plain
from posediff.export.trc import write_trc
from posediff.fileio.atomic_files import replacing_together
from posediff.geometry.up_axis import y_up_rotation

EXPORTERS: dict[str, Callable[..., dict[str, Any]]] = {
    'bvh': write_bvh,
    'c3d': write_c3d,
    'csv': write_csv,
    'trc': write_trc,
}
SIDECAR = '.export.json'


def export_motion(
    motion: Motion,
    path_without_suffix: str | Path,
    formats: str | Iterable[str],
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Path]:
    """Write a motion in several formats, and beside them a file that says what they hold: all of them or none.

    Args:
        motion: What to write. Without an ``up``, it is estimated.
        path_without_suffix: ``out/walk`` makes ``out/walk.bvh`` …, and ``out/walk.export.json``, which tells axes,
            units, how up is known, gaps and filled frames.
        formats: Keys of :data:`EXPORTERS`; one string may list several, separated by commas.
        options: Keyword arguments of the writers, by format: ``{'bvh': {'gaps': 'interpolate'}}``.

    Returns:
        The files, in the order of ``formats``; the one that describes them last.

    Raises:
        ValueError: A format or an option is unknown, or a writer refuses the motion.
        ImportError: The package that writes a format is not installed.
    """
    target = Path(path_without_suffix)
    names = checked_formats(formats)
    if target.suffix[1:] in EXPORTERS:
        raise ValueError(f'{target}: give the path without its suffix; the formats decide it')
    options = _checked_options(options or {}, names)
    motion = motion.with_up()
    with replacing_together(target.parent) as folder:
        names = write_motion(motion, folder / target.name, names, options)
    return [target.with_name(name) for name in names]


def write_motion(
    motion: Motion,
    draft: Path,
    formats: Iterable[str],
    options: Mapping[str, Mapping[str, Any]],
    refused: Mapping[str, str] | None = None,
) -> list[str]:
    """Write a motion that has an ``up`` in several formats, and the file that describes them.

    Args:
        motion, formats, options: See :func:`export_motion`.
        draft: Path without its suffix, in a folder of drafts.
        refused: Formats that were asked for and are not written, and why.

    Returns:
        Names of the files, in order.
    """
    files = {}
    for name in formats:
        file = draft.with_name(f'{draft.name}.{name}')
        files[file.name] = EXPORTERS[name](motion, file, **options.get(name, {}))
    sidecar = draft.with_name(f'{draft.name}{SIDECAR}')
    about = _description(motion, files) | ({'not_written': dict(refused)} if refused else {})
    sidecar.write_text(json.dumps(about, indent=1, allow_nan=False) + '\n')
    return [*files, sidecar.name]


def checked_formats(formats: str | Iterable[str]) -> list[str]:
    """Names of formats, each once.

    Raises:
        ValueError: There is none, or one is unknown.
    """
    names = [name.strip() for name in (formats.split(',') if isinstance(formats, str) else formats)]
    unknown = [name for name in names if name not in EXPORTERS]
    if unknown or not names:
        asked = ', '.join(map(repr, unknown)) or 'none'
        raise ValueError(f'unknown export format: {asked}; known: {", ".join(EXPORTERS)}')
    return list(dict.fromkeys(names))


def _checked_options(options: Mapping[str, Mapping[str, Any]], names: list[str]) -> Mapping[str, Mapping[str, Any]]:
    for name, given in options.items():
        if name not in names:
            raise ValueError(f'options of {name!r}, which is not among the formats to write: {", ".join(names)}')
        parameters = inspect.signature(EXPORTERS[name]).parameters.values()
        known = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
        wrong = [option for option in given if option not in known]
        if wrong:
            raise ValueError(f'{name} has no option {wrong[0]!r}; it has: {", ".join(known) or "none"}')
    return options


def _description(motion: Motion, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    assert motion.up is not None
    assert motion.observed is not None
    unseen = motion.observed[:, None] & ~motion.seen
    ranges = {
        name: frame_ranges(unseen[:, joint]) for joint, name in enumerate(motion.joint_names) if unseen[:, joint].any()
    }
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
        'start_time_s': round(float(motion.clock[0]), 6),
        'end_time_s': round(float(motion.clock[-1]), 6),
        'positions': 'absolute: the camera is the origin' if motion.absolute else 'relative to the root joint',
        'up_source': motion.up_source,
        'up_note': motion.up_note,
        'up_camera_axes': plain(motion.up),
        'camera_to_y_up': plain(y_up_rotation(motion.up)),
        'frames_below': 'counted from 0 at start_frame',
        'gap_frames': frame_ranges(motion.gaps),
        'filled_frames': frame_ranges(~motion.observed & ~motion.gaps),
        'frames_with_place_of_neighbours': frame_ranges(motion.observed & ~motion.placed),
        'never_seen_joints': [name for joint, name in enumerate(motion.joint_names) if not motion.seen[:, joint].any()],
        'unseen_joint_frames': ranges,
    }
