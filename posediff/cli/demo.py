"""Run ``posediff video`` on a real clip and draw one picture of the result, ``demo.png``.

The clip, two people in a park, travels in the wheel of Sports2D (BSD-3-Clause) and is fetched from the package index,
9 MB, as MediaPipe's networks are, 36 MB. Arguments that are not listed here go to ``posediff video``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posediff.assets import DEMO_VIDEO
from posediff.cli import video
from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.evaluation.tables import markdown_table
from posediff.visualization.still import save_still


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    parser = command_parser(prog, __doc__)
    parser.add_argument('--out', type=Path, default=Path('out/demo'), help='folder for the results')
    args, more = parser.parse_known_args(argv)
    with one_line_errors():
        clip, calibration = (DEMO_VIDEO.fetch(name) for name in ('demo.mp4', 'calibration.toml'))
    video.main([str(clip), '--calibration', str(calibration), '--out', str(args.out), '--overwrite', *more])
    with one_line_errors():
        picture = save_still(args.out, args.out / 'demo.png')
        print('\n' + people_table(args.out / 'poses.npz'))
    print(f'\nlook at {picture}, open {args.out}/viewer.html in a browser, play {args.out}/scene.mp4')


def people_table(path: Path) -> str:
    """Who was there, for how long, how far away, and how sure the lifter is."""
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
