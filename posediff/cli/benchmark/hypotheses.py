"""Measure accuracy and time by number of denoiser steps and of hypotheses, compared with a model without diffusion.

    posediff benchmark hypotheses CONFIG CHECKPOINT --control CONFIG CHECKPOINT

Writes hypotheses_sweep.json and hypotheses_sweep.md. Columns whose name ends in "oracle" select with the ground truth:
they are bounds, not results.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from posediff.cli.arguments import command_parser
from posediff.cli.provenance import provenance
from posediff.engine.command_line import add_cfg_options, add_device, one_line_errors, positive
from posediff.engine.evaluation import build_test_dataset, build_test_metric, evaluate_model, set_sampling
from posediff.engine.model_building import init_model
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.models.estimator import PoseDiffusionEstimator

MEASURES = ('mpjpe', 'p_mpjpe', 'mpjve', 'symmetry_gap', 'segment_std', 'j_agg', 'p_best_oracle', 'j_best_oracle')


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('config', help='config file, or name of a packaged config')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--steps',
        type=positive,
        nargs='+',
        default=[1, 2, 5, 10, 25, 50],
        metavar='N',
        help='values of num_inference_steps; default: %(default)s',
    )
    parser.add_argument(
        '--hypotheses',
        type=positive,
        nargs='+',
        default=[1, 5, 20],
        metavar='M',
        help='values of num_hypotheses; default: %(default)s',
    )
    parser.add_argument(
        '--control', nargs=2, metavar=('CONFIG', 'CHECKPOINT'), help='model without diffusion to compare with'
    )
    add_cfg_options(parser)
    parser.add_argument(
        '--max-items', type=positive, metavar='N', help='evaluate N windows spread over the test set; default: all'
    )
    parser.add_argument(
        '--batch-size', type=positive, default=32, metavar='N', help='clips per batch; default: %(default)s'
    )
    add_device(parser)
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/hypotheses_sweep'),
        metavar='DIR',
        help='folder for the results; default: %(default)s',
    )
    return parser.parse_args(argv)


def sweep(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return one row of measures per number of steps and of hypotheses, with that of the control model first."""
    rows = []
    if args.control:
        config, checkpoint = args.control
        control = init_model(config, checkpoint, args.device)
        if control.denoiser is not None:
            raise ValueError(
                f'--control {args.control[0]} has a denoiser; the control must be a model without diffusion'
            )
        rows.append({'model': 'no diffusion', 'steps': None, 'hypotheses': 1, **measure(control, args, 'control')})
    model = init_model(args.config, args.checkpoint, args.device, args.cfg_options)
    if model.denoiser is None:
        raise ValueError(f'{args.config} has no denoiser: the sweep needs a model with diffusion')
    for steps in args.steps:
        for num_hypotheses in args.hypotheses:
            set_sampling(model, num_hypotheses, steps)
            found = measure(model, args, f'{steps} steps, {num_hypotheses} hypotheses')
            rows.append({'model': Path(args.config).stem, 'steps': steps, 'hypotheses': num_hypotheses, **found})
    return rows


def measure(model: PoseDiffusionEstimator, args: argparse.Namespace, label: str) -> dict[str, float]:
    """Return the measures of a model with its present settings by name, in mm, and ``ms_per_clip``, its time.

    Args:
        model: The model.
        args: Arguments of the command.
        label: Text of the progress bar.
    """
    metric = build_test_metric(model.cfg)
    dataset = build_test_dataset(model.cfg, max_items=args.max_items)
    progress = partial(tqdm, desc=label, leave=False, disable=None)
    found = evaluate_model(model, dataset, metric, args.batch_size, progress)
    found['ms_per_clip'] = 1000 * found.pop('seconds_per_clip')
    return {name: value for name, value in found.items() if name in (*MEASURES, 'ms_per_clip')}


def as_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows of :func:`sweep` as a Markdown table."""
    present = [name for name in (*MEASURES, 'ms_per_clip') if any(name in row for row in rows)]
    cells = [
        [row['model'], *(None if row[key] is None else str(row[key]) for key in ('steps', 'hypotheses'))]
        + [row.get(name) for name in present]
        for row in rows
    ]
    titles = [f'{name}, mm' if name != 'ms_per_clip' else 'ms per clip' for name in present]
    return markdown_table(['model', 'steps', 'M', *titles], cells, digits=1)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        rows = sweep(args)
    table = as_markdown(rows)
    print(table)
    with atomic_write(args.out / 'hypotheses_sweep.json') as temporary:
        temporary.write_text(json.dumps({**provenance(args), 'rows': rows}, indent=1) + '\n')
    with atomic_write(args.out / 'hypotheses_sweep.md') as temporary:
        temporary.write_text(table + '\n')
