"""Train and test MixSTE and DiffHPE under occlusion with several seeds, and judge the claims of DiffHPE's paper.

    posediff benchmark lifting

Trains small models (MixSTE, DiffHPE-2D, DiffHPE-Wrapper on a lifter trained with the same occlusion, and on one trained
without) on CMU motion capture, one for every pattern of occlusion and every seed, and tests each on all patterns.
Finished trainings and tests are skipped, so the command can be interrupted and repeated. Prints tables and verdicts
from all that is finished, and writes them to lifting.md and lifting.json in the work dir.

Verdicts: for every seed, the error of the model that is claimed to be better minus that of the other, averaged over the
patterns of the claim. A claim holds if the mean difference over seeds is below -2 standard errors, does not hold if it
is above 2, and is otherwise not settled. A claim that a model is competitive holds if it is better than 1.02 times the
error of the other. With several measures, a claim holds if it holds for all, and does not if it does not for one.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.cli.benchmark.lifting_claims import accuracy_table, matrix_tables, verdict_tables
from posediff.cli.benchmark.lifting_grid import MODELS, PATTERNS, Store, grid
from posediff.cli.provenance import provenance
from posediff.engine.command_line import one_line_errors, positive
from posediff.fileio.atomic_files import atomic_write


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    grid_options = parser.add_argument_group('what is trained and tested')
    grid_options.add_argument('--models', nargs='+', choices=list(MODELS), default=list(MODELS), help='default: all')
    grid_options.add_argument(
        '--patterns', nargs='+', choices=PATTERNS, default=list(PATTERNS), help='of training and test; default: all'
    )
    grid_options.add_argument(
        '--seeds', nargs='+', type=_seed, default=[0, 1, 2], metavar='N', help='seeds of training; default: %(default)s'
    )
    grid_options.add_argument(
        '--shard', type=_shard, default=(1, 1), metavar='I/N', help='train and test part I of N (1 to N); default: all'
    )
    only = grid_options.add_mutually_exclusive_group()
    only.add_argument('--checkpoints-only', action='store_true', help='train, do not test')
    only.add_argument('--tables-only', action='store_true', help='neither train nor test')
    budget = parser.add_argument_group('budget, the same for all runs in one work dir')
    budget.add_argument(
        '--frames', type=positive, default=9, metavar='T', help='frames per window; default: %(default)s'
    )
    budget.add_argument(
        '--fps', type=_fps, default=50 / 3, metavar='F', help='frames per second of windows; default: 50 / 3'
    )
    budget.add_argument('--epochs', type=positive, default=8, metavar='N', help='epochs; default: %(default)s')
    budget.add_argument(
        '--windows', type=positive, default=3072, metavar='N', help='windows per epoch; default: %(default)s'
    )
    budget.add_argument(
        '--batch-size', type=positive, default=16, metavar='N', help='windows per step; default: %(default)s'
    )
    budget.add_argument('--amp', choices=['bfloat16'], help='train in mixed precision; default: float32')
    budget.add_argument(
        '--max-items', type=positive, default=150, metavar='N', help='windows of a test; default: %(default)s'
    )
    budget.add_argument(
        '--num-hypotheses', type=positive, default=5, metavar='M', help='poses per window; default: %(default)s'
    )
    budget.add_argument(
        '--num-inference-steps', type=positive, default=10, metavar='N', help='steps per pose; default: %(default)s'
    )
    parser.add_argument('--data', default='data/cmu/', metavar='DIR', help='motion capture; default: %(default)s')
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path('work_dirs/benchmark_lifting'),
        metavar='DIR',
        help='folder for checkpoints and results; default: %(default)s',
    )
    args = parser.parse_args(argv)
    if len(set(args.seeds)) < len(args.seeds):
        parser.error(f'--seeds {" ".join(map(str, args.seeds))}: a seed occurs twice')
    return args


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is not a whole number of at least 0')
    return int(text)


def _fps(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'{text!r} is not a positive number')
    return value


def _shard(text: str) -> tuple[int, int]:
    """Convert ``'1/2'`` to (1, 2)."""
    part, _, count = text.partition('/')
    if not (part.isdecimal() and count.isdecimal() and 1 <= int(part) <= int(count)):
        raise argparse.ArgumentTypeError(f'{text!r} is not I/N with I from 1 to N, for example 1/2')
    return int(part), int(count)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        store = Store(args.work_dir, args)
        store.check_settings()
    groups = list(grid(args.models, args.patterns, args.seeds))
    part, count = args.shard
    for group in [] if args.tables_only else groups[part - 1 :: count]:
        for cell in group:
            store.train(cell)
            if not args.checkpoints_only:
                store.test(cell, args.patterns)
    if args.checkpoints_only:
        return
    with one_line_errors():
        results = {cell: found for group in groups for cell in group if (found := store.results(cell))}
    text = '\n\n'.join([accuracy_table(results), *matrix_tables(results, args.patterns), *verdict_tables(results)])
    print(text)
    with atomic_write(args.work_dir / 'lifting.md') as draft:
        draft.write_text(text + '\n')
    with atomic_write(args.work_dir / 'lifting.json') as draft:
        document = {**provenance(args), 'unit': 'mm', 'results': {cell.name: found for cell, found in results.items()}}
        draft.write_text(json.dumps(document, indent=1) + '\n')
