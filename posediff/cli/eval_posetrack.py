"""Average precision of PoseTrack result files, and with --tracking how well persons are followed in them.

    posediff eval-posetrack --gt DIR --pred DIR --out result.json

Both folders hold one file a sequence, of equal names, in PoseTrack18's or PoseTrack17's form. The figures are those of
the official evaluators; docs/evaluate_posetrack.md says what they count.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.evaluation.posetrack import PROTOCOLS, PoseTrackResult, evaluate_folders
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import replacing

MEASURES = ('ap', 'precision', 'recall')
TRACKING_MEASURES = ('mota', 'hota')


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('--gt', type=Path, required=True, metavar='DIR', help='ground truth')
    parser.add_argument('--pred', type=Path, required=True, metavar='DIR', help='predictions')
    parser.add_argument('--protocol', choices=list(PROTOCOLS), default='poseval', help='default: %(default)s')
    parser.add_argument('--tracking', action='store_true', help='measure tracks too: MOTA, MOTP, HOTA')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE', help='a .json file')
    return parser.parse_args(argv)


def as_markdown(result: PoseTrackResult) -> str:
    groups = {measure: result.groups(measure) for measure in MEASURES}
    if result.tracking is not None:
        groups |= {measure: result.tracking.groups(measure) for measure in TRACKING_MEASURES}
    rows: list[list[str | float | None]] = [[f'{measure}, %', *means.values()] for measure, means in groups.items()]
    return markdown_table(['', *groups['ap']], rows, digits=1)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        args.out.unlink(missing_ok=True)  # a result of an earlier run is not this one's
        result = evaluate_folders(args.gt, args.pred, args.protocol, args.tracking)
        print(as_markdown(result))
        with replacing(args.out) as temporary:
            temporary.write_text(json.dumps({'protocol': args.protocol, **result.to_dict()}, indent=1) + '\n')
