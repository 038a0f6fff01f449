"""Read the datasets of a config and report problems, before training."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from tqdm import tqdm

from posediff.cli.arguments import command_parser
from posediff.datasets.checking import PARTS, as_text, check_dataset
from posediff.engine.command_line import add_cfg_options, one_line_errors, positive
from posediff.engine.config import load_config
from posediff.plugins.entry_points import load_plugins


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('config', help='config file, or name of a packaged config')
    parser.add_argument(
        '--items', type=positive, default=200, help='number of items to read per dataset; default: %(default)s'
    )
    parser.add_argument('--all', action='store_true', help='read all items of every dataset')
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Check the datasets of a config, print the findings, and return 1 if there are problems, else 0."""
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
