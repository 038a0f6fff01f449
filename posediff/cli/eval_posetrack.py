"""Compute average precision, and with --tracking the tracking measures, of PoseTrack result files.

    posediff eval-posetrack --gt DIR --pred DIR --out result.json

Both folders contain one file per sequence, with equal names, in the format of PoseTrack18 or PoseTrack17. The values
equal those of the official evaluators; docs/evaluate_posetrack.md defines them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.evaluation.posetrack import PROTOCOLS, PoseTrackResult, evaluate_folders
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write

MEASURES = ('ap', 'precision', 'recall')
TRACKING_MEASURES = ('mota', 'hota')


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('--gt', type=Path, required=True, metavar='DIR', help='folder of ground truth files')
    parser.add_argument('--pred', type=Path, required=True, metavar='DIR', help='folder of result files')
    parser.add_argument(
        '--protocol', choices=list(PROTOCOLS), default='poseval', help='evaluator to reproduce; default: %(default)s'
    )
    parser.add_argument('--tracking', action='store_true', help='also compute MOTA, MOTP and HOTA')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE', help='JSON file for the measures')
    return parser.parse_args(argv)


def as_markdown(result: PoseTrackResult) -> str:
    """Return the measures, per group of joints, as a Markdown table."""
    groups = {measure: result.groups(measure) for measure in MEASURES}
    if result.tracking is not None:
        groups |= {measure: result.tracking.groups(measure) for measure in TRACKING_MEASURES}
    rows: list[list[str | float | None]] = [[f'{measure}, %', *means.values()] for measure, means in groups.items()]
    return markdown_table(['', *groups['ap']], rows, digits=1)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        args.out.unlink(missing_ok=True)  # if this run fails, no file of an earlier run must remain in its place
        result = evaluate_folders(args.gt, args.pred, args.protocol, args.tracking)
        if not result.num_predicted.any():
            raise ValueError(f'{args.pred} holds no predicted joint in any frame that counts: nothing to evaluate')
        if not result.num_right.any():
            print(
                f'warning: not one predicted joint of {args.pred} is right: are they of other pictures?',
                file=sys.stderr,
            )
        print(as_markdown(result))
        with atomic_write(args.out) as temporary:
            temporary.write_text(json.dumps({'protocol': args.protocol, **result.to_dict()}, indent=1) + '\n')
