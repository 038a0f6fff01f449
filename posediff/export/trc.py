"""TRC ("track row column"), the marker files that OpenSim and Pose2Sim read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posediff.export.base import BaseExporter
from posediff.export.csv_table import cells
from posediff.export.motion import Motion
from posediff.fileio.atomic_files import replacing
from posediff.registry import EXPORTERS

ORIGINAL = ('DataRate', 'DataStartFrame', 'NumFrames')  # of the recording that a file was cut from


@EXPORTERS.register_module(name='trc')
class TRCExporter(BaseExporter):
    """TRC, the marker files of OpenSim and Pose2Sim."""

    suffix = '.trc'

    def __call__(self, motion: Motion, path: Path) -> dict[str, Any]:
        """Write marker positions in metres, y up.

        Five lines of header, as OpenSim's ``TRCFileAdapter`` checks them. ``Frame#`` is the frame of the video,
        counted from 1, and ``Time`` is on the video's clock, so that both begin where the person appears.
        Joints that are not known have empty cells, which OpenSim and pandas read as NaN. Lines of the table end in a
        tab: without it OpenSim misses the last column where that is empty.

        Args:
            motion: What to write.
            path: The file.

        Returns:
            What the file holds, in words.
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
        with replacing(path) as temporary, temporary.open('w') as file:
            file.writelines('\t'.join(row) + '\n' for row in head)
            for frame, (time_s, positions) in enumerate(zip(motion.clock.tolist(), motion.y_up_metres(), strict=True)):
                row = [str(first + frame), f'{time_s:.6f}', *cells(positions, digits=6), '']
                file.write('\t'.join(row) + '\n')
        return {
            'unit': 'm',
            'axes': 'right-handed, y up',
            'gaps': 'empty cells',
            'start': f'Frame# {first}, the frame of the video from 1; Time on its clock',
        }
