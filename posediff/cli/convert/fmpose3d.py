"""Convert an official checkpoint of FMPose3D's model of humans.

posediff convert fmpose3d SOURCE DESTINATION

FMPose3D's weights are for non-commercial use only: do not pass the converted file on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import add_cfg_options, one_line_errors
from posediff.integrations.fmpose3d_checkpoints import LICENCE, convert_fmpose3d_checkpoint


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('source', type=Path, help='official checkpoint')
    parser.add_argument(
        'destination', type=Path, help='checkpoint to write, for posediff.init_model(CONFIG, DESTINATION)'
    )
    parser.add_argument(
        '--config',
        type=Path,
        default=Path('fmpose3d_1f_h36m'),
        help='config file, or name of a packaged config, of the model that the weights belong to; default: %(default)s',
    )
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        written = convert_fmpose3d_checkpoint(args.source, args.destination, args.config, args.cfg_options)
    print(f'wrote {args.destination}: {written} tensors, for {args.config}')
    sys.stderr.write(f'warning: {LICENCE}\n')
