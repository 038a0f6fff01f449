"""TRC ("track row column"), the marker files that OpenSim and Pose2Sim read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posediff.atomic_files import replacing
from posediff.export.csv_table import cells
from posediff.export.motion import Motion

ORIGINAL = ('DataRate', 'DataStartFrame', 'NumFrames')  # of the recording that a file was cut from: itself here


def write_trc(motion: Motion, path: Path) -> dict[str, Any]:
    """Write marker positions in metres, y up.

    Five lines of header, as OpenSim's ``TRCFileAdapter`` checks them; frames are counted from 1 and time starts at 0.
    Joints that are not known have empty cells, which OpenSim and pandas read as NaN. Lines of the table end in a tab:
    without it OpenSim misses the last column where that is empty.

    Args:
        motion: What to write.
        path: The file.

    Returns:
        What the file holds, in words.
    """
    rate = f'{motion.fps:.10g}'
    frames, joints = motion.num_frames, len(motion.joint_names)
    numbered = [f'{axis}{number}' for number in range(1, joints + 1) for axis in 'XYZ']
    rows = [
        ['PathFileType', '4', '(X/Y/Z)', path.name],
        ['DataRate', 'CameraRate', 'NumFrames', 'NumMarkers', 'Units', *(f'Orig{name}' for name in ORIGINAL)],
        [rate, rate, str(frames), str(joints), 'm', rate, '1', str(frames)],
        ['Frame#', 'Time', *(cell for joint in motion.joint_names for cell in (joint, '', '')), ''],
        ['', '', *numbered, ''],
    ]
    for frame, positions in enumerate(motion.y_up_metres()):
        rows.append([str(frame + 1), f'{frame / motion.fps:.6f}', *cells(positions, digits=6), ''])
    with replacing(path) as temporary:
        temporary.write_text('\n'.join('\t'.join(row) for row in rows) + '\n')
    return {'unit': 'm', 'axes': 'right-handed, y up', 'gaps': 'empty cells'}
