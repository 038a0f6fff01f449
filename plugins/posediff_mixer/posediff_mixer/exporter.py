"""Exporter of CSV tables in world axes (z up) with one row per joint and frame."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posediff.export import BaseExporter, Motion, MotionFrames
from posediff.fileio.atomic_files import atomic_write
from posediff.registry import EXPORTERS
from posediff.structures.component_choices import CommandLineChoice


@EXPORTERS.register_module(name='world-csv')
class WorldCSVExporter(BaseExporter):
    """CSV with one row for each joint in each frame: metres, z up, as in Blender's world.

    pandas, seaborn and R group and plot such a long table without reshaping it. Joints without a position have no row.

    Args:
        seen_only: Also omit joints that the camera did not see.
    """

    command_line = (
        CommandLineChoice(
            'world-csv',
            'one line per joint and frame, metres, z up',
            options={'seen_only': 'True: leave out joints that the camera did not see'},
        ),
    )
    suffix = '.world.csv'

    def __init__(self, seen_only: bool = False) -> None:
        self.seen_only = seen_only

    def __call__(self, motion: Motion, path: Path) -> dict[str, Any]:
        """Write the columns ``frame_index, time_s, track_id, joint, x_m, y_m, z_m, seen``.

        Args:
            motion: The motion. A missing ``up`` is estimated.
            path: Output file.

        Returns:
            Description of the file: ``unit``, ``axes``, ``gaps``, ``start``.
        """
        with atomic_write(path) as draft, draft.open('w', newline='') as file:
            table = csv.writer(file, lineterminator='\n')
            table.writerow(['frame_index', 'time_s', 'track_id', 'joint', 'x_m', 'y_m', 'z_m', 'seen'])
            for block in motion.with_up().blocks():  # not the whole motion: memory does not grow with its length
                table.writerows(self._rows(block))
        return {
            'unit': 'm',
            'axes': 'right-handed, z up, y away from the camera',
            'gaps': 'no lines',
            'start': f'frame_index {motion.first_frame}, the frame of the video from 0; time_s on its clock',
        }

    def _rows(self, block: MotionFrames) -> Iterator[list[Any]]:
        x, up, back = block.y_up_metres().transpose(2, 0, 1)
        clock, seen = block.clock, block.seen
        for frame, joint in zip(*(seen if self.seen_only else block.known).nonzero()):
            position = (x[frame, joint], -back[frame, joint], up[frame, joint])
            yield [
                block.first_frame + int(frame),
                f'{clock[frame]:.6f}',
                block.track_id,
                block.joint_names[joint],
                *(f'{value:.6f}' for value in position),
                int(seen[frame, joint]),
            ]
