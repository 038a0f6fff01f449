"""Convert an official checkpoint of DiffHPE, MixSTE or D3DP.

``posediff convert diffhpe SRC DST --config CONFIG``
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import DictAction

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.integrations.official_checkpoints import convert_checkpoint


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('source', type=Path, help='official checkpoint')
    parser.add_argument('destination', type=Path, help='checkpoint to write; posediff.init_model(CONFIG, DST) loads it')
    parser.add_argument(
        '--config',
        type=Path,
        required=True,
        help='config of the model that the weights belong to: a file, or the name of a packaged config',
    )
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='override config keys: key=value …')
    parser.add_argument('--ema', action='store_true', help='take weights that were averaged over training')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        written = convert_checkpoint(args.source, args.destination, args.config, args.cfg_options, args.ema)
    if written.choice:
        print(written.choice)
    if written.halved_step_table:
        print('every weight is a half-precision number: the step-embedding table was rounded to half precision too')
    print(f'wrote {args.destination}: {written.num_tensors} tensors, fit for {args.config}')
