"""Evaluate a checkpoint.

For several processes, see ``posediff dist-test CONFIG CHECKPOINT GPUS``.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.engine.launch import add_common_arguments, leaving_process_group, prepare
from posediff.engine.model_building import load_weights
from posediff.engine.model_wrappers import unwrap
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.checkpoint import safe_loading


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', metavar='FILE', help='JSON file for the metrics')
    return parser.parse_args(argv)


def finite_or_null(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Replace NaN, the value of a metric without data, by None: JSON has no NaN."""
    return {name: float(value) if math.isfinite(value) else None for name, value in metrics.items()}


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with safe_loading(), leaving_process_group():
        with one_line_errors():
            cfg = prepare(args)
            cfg.load_from, cfg.resume = None, False  # weights to train from: the runner would replace the checkpoint
            runner = Runner.from_cfg(cfg)
            load_weights(unwrap(runner.model), args.checkpoint)
            _ = runner.test_loop  # builds the dataset, whose errors belong to the input
        metrics = runner.test()
        if args.out and is_main_process():
            with atomic_write(args.out) as draft:
                draft.write_text(json.dumps(finite_or_null(metrics), indent=2) + '\n')
