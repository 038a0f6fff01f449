"""Convert an official checkpoint of DiffHPE, MixSTE or D3DP.

posediff convert diffhpe SOURCE DESTINATION --config CONFIG
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import add_cfg_options, one_line_errors
from posediff.integrations.official_checkpoints import convert_checkpoint


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('source', type=Path, help='official checkpoint')
    parser.add_argument(
        'destination', type=Path, help='checkpoint to write, for posediff.init_model(CONFIG, DESTINATION)'
    )
    parser.add_argument(
        '--config',
        type=Path,
        required=True,
        help='config file, or name of a packaged config, of the model that the weights belong to',
    )
    add_cfg_options(parser)
    parser.add_argument('--ema', action='store_true', help='convert the exponential moving average of the weights')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        written = convert_checkpoint(args.source, args.destination, args.config, args.cfg_options, args.ema)
    if written.choice:
        print(written.choice)
    if written.halved_step_table:
        print('all weights are half-precision values: the step-embedding table was rounded to half precision too')
    print(f'wrote {args.destination}: {written.num_tensors} tensors, for {args.config}')
