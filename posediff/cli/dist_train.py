"""Train a model with several processes, on one machine or several."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from posediff.cli.distributed import launch, parse_launch


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    return parse_launch(['config'], 'train', argv, prog, __doc__)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    launch('train', [args.config], args.gpus, args.more)
