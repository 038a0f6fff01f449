"""Read the data of a config and report what is wrong with it, before training."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from mmengine.config import DictAction
from tqdm import tqdm

from posediff.cli.arguments import command_parser
from posediff.datasets.checking import PARTS, as_text, check_dataset
from posediff.engine.command_line import one_line_errors, positive
from posediff.engine.config import load_config
from posediff.plugins.entry_points import load_plugins


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('config', help='config file, or name of a packaged config')
    parser.add_argument('--items', type=positive, default=200, help='read this many items of every part')
    parser.add_argument('--all', action='store_true', help='read all items')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='override config keys')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Open and read the data of a config and print what is wrong with it; 1 when something is."""
    args = parse_args(argv, prog)
    with one_line_errors():
        load_plugins()
        cfg = load_config(args.config, args.cfg_options)
        parts = [f'{part}_dataloader' for part in PARTS]
        if not any(cfg.get(part) for part in parts):
            raise ValueError(f'{cfg.filename} has none of {", ".join(parts)}')
    progress = partial(tqdm, desc='reading', unit='item', leave=False, disable=None)
    findings = check_dataset(cfg, None if args.all else args.items, progress)
    print(as_text(findings))
    return int(any(finding.problems for finding in findings))
