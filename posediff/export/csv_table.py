"""CSV: one line a frame, millimetres, camera axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from posediff.atomic_files import replacing
from posediff.export.motion import Motion


def write_csv(motion: Motion, path: Path) -> dict[str, Any]:
    """Write a table that spreadsheets and :func:`pandas.read_csv` read as it is.

    Columns: ``frame_index`` from 0, ``time_s``, ``track_id``, ``observed`` (1, or 0 for a gap or a filled frame), and
    ``<joint>_x_mm``, ``<joint>_y_mm``, ``<joint>_z_mm`` of every joint, in the axes of the motion itself (camera: x
    right, y down, z forward). Joints that are not known have empty cells.

    Args:
        motion: What to write.
        path: The file.

    Returns:
        What the file holds, in words.
    """
    assert motion.observed is not None
    header = ['frame_index', 'time_s', 'track_id', 'observed']
    header += [f'{joint}_{axis}_mm' for joint in motion.joint_names for axis in 'xyz']
    lines = [','.join(header)]
    for frame, (joints, observed) in enumerate(zip(motion.joints_3d, motion.observed, strict=True)):
        start = [str(frame), f'{frame / motion.fps:.6f}', str(motion.track_id), str(int(observed))]
        lines.append(','.join([*start, *cells(joints, digits=3)]))
    with replacing(path) as temporary:
        temporary.write_text('\n'.join(lines) + '\n')
    return {'unit': 'mm', 'axes': 'camera: x right, y down, z forward', 'gaps': 'empty cells'}


def cells(values: np.ndarray, digits: int) -> list[str]:
    """Numbers with ``digits`` after the point, NaN as the empty string."""
    return ['' if np.isnan(value) else f'{value:.{digits}f}' for value in values.ravel().tolist()]
