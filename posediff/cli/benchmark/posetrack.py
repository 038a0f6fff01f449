"""Compare PoseTrack result files of several models: differences of average precision with 95 % intervals.

    posediff benchmark posetrack --gt DIR --pred DIR DIR ... --out comparison.json

Every folder is compared with the first. The intervals come from a paired bootstrap over sequences: they reflect the
choice of videos, not the variation between training runs.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors, positive
from posediff.evaluation.posetrack import PROTOCOLS, Difference, bootstrap_differences, read_folders
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('--gt', type=Path, required=True, metavar='DIR', help='folder of ground truth files')
    parser.add_argument(
        '--pred',
        type=Path,
        required=True,
        nargs='+',
        metavar='DIR',
        help='folders of result files; the first is the baseline',
    )
    parser.add_argument(
        '--protocol', choices=list(PROTOCOLS), default='poseval', help='evaluator to reproduce; default: %(default)s'
    )
    parser.add_argument(
        '--draws', type=positive, default=1000, metavar='N', help='bootstrap samples; default: %(default)s'
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the bootstrap; default: %(default)s')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE', help='JSON file for the result')
    return parser.parse_args(argv)


def as_cell(difference: Difference) -> str:
    """Format a difference and its interval: ``'+1.2 (+0.3 to +2.0)'``."""
    return f'{difference.value:+.1f} ({difference.low:+.1f} to {difference.high:+.1f})'


def without_nan(values: dict[str, float]) -> dict[str, float | None]:
    """Replace NaN by None, since JSON has no NaN."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        args.out.unlink(missing_ok=True)  # if this run fails, no file of an earlier run must remain in its place
        if len(args.pred) < 2:
            raise ValueError(f'--pred needs at least two folders, got {len(args.pred)}')
        evaluators = [read_folders(args.gt, folder, args.protocol) for folder in args.pred]
        differences = bootstrap_differences(evaluators[0], evaluators[1:], args.draws, args.seed)
        groups = [evaluator.result().groups('ap') for evaluator in evaluators]
        rows: list[list[str | float | None]] = [
            [str(folder), *means.values()] for folder, means in zip(args.pred, groups, strict=True)
        ]
        rows += [
            [f'{folder} - {args.pred[0]}', *map(as_cell, of_folder.values())]
            for folder, of_folder in zip(args.pred[1:], differences, strict=True)
        ]
        print(markdown_table(['AP, %', *groups[0]], rows, digits=1))
        document = {
            'protocol': args.protocol,
            'draws': args.draws,
            'seed': args.seed,
            'num_sequences': evaluators[0].num_sequences,
            'ap': {str(folder): without_nan(means) for folder, means in zip(args.pred, groups, strict=True)},
            'differences': {
                str(folder): {name: without_nan(asdict(difference)) for name, difference in of_folder.items()}
                for folder, of_folder in zip(args.pred[1:], differences, strict=True)
            },
        }
        with atomic_write(args.out) as temporary:
            temporary.write_text(json.dumps(document, indent=1) + '\n')
