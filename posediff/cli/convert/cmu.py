"""Convert CMU motion capture (.asf/.amc/.bvh) to the files that CMUMocapDataset loads."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from posediff.cli.arguments import command_parser
from posediff.datasets.camera_sampling import CAMERA_PRESETS
from posediff.datasets.converters.cmu import convert_cmu
from posediff.datasets.converters.cmu_motion import CMU_FPS, UNITS
from posediff.engine.command_line import one_line_errors


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('source', help='folder of CMU files, searched recursively, with or without index.csv')
    parser.add_argument('destination', help='folder to write <subject>.npz to')
    parser.add_argument(
        '--fps', type=float, default=50.0, help='frame rate of the output; default: %(default)g, as Human3.6M'
    )
    parser.add_argument(
        '--source-fps',
        type=float,
        help=f'frame rate of AMC files, if neither the file nor index.csv states it; default: {CMU_FPS:g}, as CMU',
    )
    parser.add_argument(
        '--units', choices=list(UNITS), help='length unit of all files; default: as each file states, else that of CMU'
    )
    parser.add_argument(
        '--cameras', type=int, default=4, metavar='N', help='static cameras drawn per clip; default: %(default)s'
    )
    parser.add_argument(
        '--preset',
        choices=sorted(CAMERA_PRESETS),
        default='wild',
        help='distribution of the cameras; default: %(default)s',
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the cameras; default: %(default)s')
    parser.add_argument('--subjects', nargs='+', help='convert only these subjects, e.g. 02 05 29 35; default: all')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        report = convert_cmu(
            args.source,
            args.destination,
            fps=args.fps,
            num_cameras=args.cameras,
            preset=args.preset,
            seed=args.seed,
            subjects=args.subjects,
            source_fps=args.source_fps,
            units=args.units,
        )
    for assumption, count in report.assumed.items():
        print(f'{assumption}: {count} takes')
    for change, takes in report.changed.items():
        print(f'{change}: {len(takes)} takes ({", ".join(takes)})')
    for take, reason in report.skipped.items():
        print(f'skipped {take}: {reason}')
    print(f'{len(report.converted)} takes converted, {len(report.skipped)} skipped, files in {args.destination}')
    if not report.converted:
        raise SystemExit(1)
