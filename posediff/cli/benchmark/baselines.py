"""Evaluate mean pose and ridge regression on a config's validation set, as baselines for lifting models."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence

from mmengine.registry import DefaultScope

from posediff.cli.arguments import command_parser
from posediff.datasets import PoseWindowDataset
from posediff.engine.command_line import add_cfg_options, one_line_errors, positive
from posediff.engine.config import load_config, require_parts
from posediff.evaluation.baselines import centred_items, collect, evaluate_baselines
from posediff.fileio.atomic_files import atomic_write
from posediff.plugins import load_plugins
from posediff.registry import DATASETS


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument(
        'config', help='config file, or name of a packaged config, with train_dataloader and val_dataloader'
    )
    parser.add_argument(
        '--windows', type=positive, default=20000, help='number of training windows to fit on; default: %(default)s'
    )
    parser.add_argument(
        '--centre-stride',
        type=int,
        default=3,
        metavar='N',
        help='also predict every Nth frame from a window centred on it; 0: do not; default: %(default)s',
    )
    parser.add_argument('--out', metavar='FILE', help='JSON file for the table')
    add_cfg_options(parser)
    return parser.parse_args(argv)


def training_items(dataset: PoseWindowDataset, count: int) -> Iterator[dict]:
    """Yield ``count`` training items, from as many epochs as needed."""
    for drawn in range(count):
        epoch, index = divmod(drawn, len(dataset))
        if index == 0:
            dataset.set_epoch(epoch)
        yield dataset[index]


def measure(args: argparse.Namespace) -> list[dict]:
    """Fit the baselines and return one row of measures for each."""
    load_plugins()
    cfg = load_config(args.config, args.cfg_options)
    require_parts(cfg, 'train_dataloader.dataset', 'val_dataloader.dataset')
    with DefaultScope.overwrite_default_scope('posediff'):
        train = DATASETS.build(cfg.train_dataloader.dataset)
        test = DATASETS.build(cfg.val_dataloader.dataset)
    centred = collect(centred_items(test, args.centre_stride)) if args.centre_stride else None
    fitted_on = collect(training_items(train, args.windows))
    return evaluate_baselines(fitted_on, collect(test[index] for index in range(len(test))), centred)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        rows = measure(args)
    width = max(len(row['name']) for row in rows)
    print(f'{"baseline":{width}}  {"alpha":>8}  {"MPJPE":>7}  {"P-MPJPE":>7}  (mm)')
    for row in rows:
        alpha = '' if row['alpha'] is None else f'{row["alpha"]:g}'
        print(f'{row["name"]:{width}}  {alpha:>8}  {row["mpjpe"]:7.1f}  {row["p_mpjpe"]:7.1f}')
    report = json.dumps({'config': args.config, 'training_windows': args.windows, 'rows': rows}, indent=1)
    print(report)
    if args.out:
        with atomic_write(args.out) as temporary:
            temporary.write_text(report + '\n', encoding='utf-8')
