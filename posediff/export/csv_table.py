"""Exporter of CSV tables: one row per frame, millimetres, camera axes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posediff.export.base import BaseExporter
from posediff.export.motion import Motion
from posediff.export.motion_frames import MotionFrames
from posediff.fileio.atomic_files import atomic_write
from posediff.registry import EXPORTERS
from posediff.structures.component_choices import CommandLineChoice


@EXPORTERS.register_module(name='csv')
class CSVExporter(BaseExporter):
    """CSV: one row per frame, millimetres, camera axes."""

    command_line = (CommandLineChoice('csv', 'one row per frame, millimetres, camera axes'),)
    suffix = '.csv'

    def __call__(self, motion: Motion, path: Path) -> dict[str, Any]:
        """Write a table for spreadsheets and :func:`pandas.read_csv`.

        Columns: ``frame_index`` of the video, from 0; ``time_s`` since the video's start; ``track_id``; ``observed``
        (1, or 0 for a gap or a filled frame); ``<joint>_x_mm``, ``<joint>_y_mm``, ``<joint>_z_mm`` of every joint in
        the axes of the motion (camera: x right, y down, z forward); ``<joint>_observed`` of every joint (0: the camera
        did not see it); ``root_position_observed`` (0: the position is interpolated from other frames);
        ``<joint>_radius_90_mm`` of every joint, the radius that holds 90 % of the hypotheses, if the motion has it.
        Cells of unknown joints are empty.

        Args:
            motion: The motion.
            path: Output file.

        Returns:
            Description of the file.
        """
        header = ['frame_index', 'time_s', 'track_id', 'observed']
        header += [f'{joint}_{axis}_mm' for joint in motion.joint_names for axis in 'xyz']
        header += [*(f'{joint}_observed' for joint in motion.joint_names), 'root_position_observed']
        if motion.radius_90 is not None:
            header += [f'{joint}_radius_90_mm' for joint in motion.joint_names]
        with atomic_write(path) as temporary, temporary.open('w') as file:
            file.write(','.join(header) + '\n')
            for block in motion.blocks():
                file.writelines(_lines(block))
        return {
            'unit': 'mm',
            'axes': 'camera: x right, y down, z forward',
            'gaps': 'empty cells',
            'start': f'frame_index {motion.first_frame}, the frame of the video from 0; time_s on its clock',
        }


def _lines(block: MotionFrames) -> Iterator[str]:
    assert block.observed is not None
    flags = np.column_stack([block.seen, block.placed]).astype(int)
    rows = zip(block.clock.tolist(), block.joints_3d, block.observed.tolist(), flags, strict=True)
    for frame, (time_s, joints, observed, seen) in enumerate(rows, start=block.first_frame):
        start = [str(frame), f'{time_s:.6f}', str(block.track_id), str(int(observed))]
        radius = [] if block.radius_90 is None else cells(block.radius_90[frame - block.first_frame], digits=3)
        yield ','.join([*start, *cells(joints, digits=3), *map(str, seen.tolist()), *radius]) + '\n'


def cells(values: np.ndarray, digits: int) -> list[str]:
    """Format numbers with ``digits`` decimals, NaN as the empty string."""
    return ['' if np.isnan(value) else f'{value:.{digits}f}' for value in values.ravel().tolist()]
