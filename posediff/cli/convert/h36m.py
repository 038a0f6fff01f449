"""Convert VideoPose3D's Human3.6M archives to the files of MMPose's Human36mDataset."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.datasets.converters.human36m import UNITS, convert_videopose3d
from posediff.datasets.converters.human36m_detections import LAYOUTS
from posediff.engine.command_line import one_line_errors


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('positions_3d', help='archive of 3D poses, data_3d_h36m.npz')
    parser.add_argument('destination', help='folder to write to, e.g. data/h36m')
    parser.add_argument(
        '--detections',
        nargs='*',
        default=[],
        help='archives of 2D detections, e.g. data_2d_h36m_cpn_ft_h36m_dbb.npz; named after their files',
    )
    parser.add_argument(
        '--units', choices=list(UNITS), help='length unit of positions_3d; default: as the file states, else metres'
    )
    parser.add_argument('--layout', choices=list(LAYOUTS), help='joint order of 2D archives that do not state it')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    detections = {re.sub(r'^data_2d_h36m_', '', Path(path).stem): path for path in args.detections}
    with one_line_errors():
        frames = convert_videopose3d(args.positions_3d, args.destination, detections, args.units, args.layout, print)
    for split, count in frames.items():
        print(f'{split}: {count} frames of four cameras')
    print(f'files are in {args.destination}')
