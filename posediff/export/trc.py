"""Exporter of TRC ("track row column"), the marker format of OpenSim and Pose2Sim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posediff.export.base import BaseExporter
from posediff.export.csv_table import cells
from posediff.export.motion import Motion
from posediff.fileio.atomic_files import atomic_write
from posediff.registry import EXPORTERS
from posediff.structures.component_choices import CommandLineChoice

ORIGINAL = ('DataRate', 'DataStartFrame', 'NumFrames')  # of the original recording


@EXPORTERS.register_module(name='trc')
class TRCExporter(BaseExporter):
    """TRC, the marker format of OpenSim and Pose2Sim."""

    command_line = (CommandLineChoice('trc', 'markers for OpenSim and Pose2Sim, metres, y up'),)
    suffix = '.trc'

    def __call__(self, motion: Motion, path: Path) -> dict[str, Any]:
        """Write marker positions in metres, y up.

        The five header lines follow OpenSim's ``TRCFileAdapter``. ``Frame#`` is the frame of the video, counted from 1,
        and ``Time`` is the time in the video, so both start where the person appears. Cells of unknown joints are
        empty, which OpenSim and pandas read as NaN. Table rows end in a tab: without it OpenSim misses an empty last
        column.

        Args:
            motion: The motion.
            path: Output file.

        Returns:
            Description of the file.
        """
        rate, first = f'{motion.fps:.10g}', motion.first_frame + 1
        frames, joints = motion.num_frames, len(motion.joint_names)
        numbered = [f'{axis}{number}' for number in range(1, joints + 1) for axis in 'XYZ']
        head = [
            ['PathFileType', '4', '(X/Y/Z)', path.name],
            ['DataRate', 'CameraRate', 'NumFrames', 'NumMarkers', 'Units', *(f'Orig{name}' for name in ORIGINAL)],
            [rate, rate, str(frames), str(joints), 'm', rate, str(first), str(frames)],
            ['Frame#', 'Time', *(cell for joint in motion.joint_names for cell in (joint, '', '')), ''],
            ['', '', *numbered, ''],
        ]
        with atomic_write(path) as temporary, temporary.open('w') as file:
            file.writelines('\t'.join(row) + '\n' for row in head)
            for block in motion.with_up().blocks():
                rows = zip(block.clock.tolist(), block.y_up_metres(), strict=True)
                for frame, (time_s, positions) in enumerate(rows, start=block.first_frame + 1):
                    row = [str(frame), f'{time_s:.6f}', *cells(positions, digits=6), '']
                    file.write('\t'.join(row) + '\n')
        return {
            'unit': 'm',
            'axes': 'right-handed, y up',
            'gaps': 'empty cells',
            'start': f'Frame# {first}, the frame of the video from 1; Time on its clock',
        }
