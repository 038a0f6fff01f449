"""Run ``posediff video`` on a real clip and draw one picture of the result, ``demo.png``.

The clip shows two people in a park. It is in the wheel of Sports2D (BSD-3-Clause, 9 MB), which is downloaded from the
package index that pip is configured for, as are MediaPipe's networks (36 MB). LICENSE.sports2d in the results is the
licence of the pictures. Arguments that are not listed here go to ``posediff video``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posediff.assets import DEMO_VIDEO
from posediff.cli import video
from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.video import VideoSource, open_video
from posediff.visualization.still import save_still


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    """Parse the arguments; those of ``posediff video`` are collected in ``of_video``."""
    parser = command_parser(prog, __doc__)
    parser.add_argument('--out', type=Path, default=Path('out/demo'), help='folder for the results')
    args, others = parser.parse_known_args(argv)
    args.of_video = others
    return args


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        clip, calibration, licence = (DEMO_VIDEO.fetch(name) for name in ('demo.mp4', 'calibration.toml', 'LICENSE'))
    video.main([str(clip), '--calibration', str(calibration), '--out', str(args.out), '--overwrite', *args.of_video])
    with one_line_errors():
        with atomic_write(args.out / 'LICENSE.sports2d') as temporary:  # of the pictures in the files beside it
            temporary.write_bytes(licence.read_bytes())
        picture = save_still(args.out, args.out / 'demo.png', video_of(args.out / 'poses.npz', clip))
        print('\n' + people_table(args.out / 'poses.npz'))
    print(f'\nlook at {picture}, open {args.out}/viewer.html in a browser, play {args.out}/scene.mp4')


def video_of(path: Path, clip: Path) -> VideoSource:
    """Open the clip at the frame rate of the results in ``path``."""
    with np.load(path, allow_pickle=False) as arrays:
        rates = {name: json.loads(str(arrays[name])) for name in ('fps', 'capture_fps', 'live') if name in arrays}
    fps = rates['live']['video_fps'] if 'live' in rates else rates['fps']
    return open_video(clip, fps, rates.get('capture_fps'))


def people_table(path: Path) -> str:
    """Return a Markdown table of the people in a ``poses.npz``.

    Its columns are frames, times, median distance from the camera and mean spread of the hypotheses.
    """
    table: list[list[str | float]] = []
    with np.load(path, allow_pickle=False) as arrays:
        rows = {name: arrays[name] for name in ('track_id', 'time_s', 'root_position', 'joints_3d_std')}
    for track in np.unique(rows['track_id']).tolist():
        own = rows['track_id'] == track
        times = rows['time_s'][own]
        depth = np.nanmedian(rows['root_position'][own, 2]) / 1000
        spread = float(rows['joints_3d_std'][own].mean())
        table.append([str(track), int(own.sum()), float(times[0]), float(times[-1]), float(depth), spread])
    return markdown_table(['person', 'frames', 'from, s', 'to, s', 'distance, m', 'mean spread, mm'], table, digits=1)
