"""Evaluate a checkpoint; ``posediff dist-test CONFIG CHECKPOINT GPUS`` does it with several processes."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.engine.launch import add_common_arguments, leaving_process_group, prepare, unwrap
from posediff.engine.model_building import load_weights
from posediff.fileio.atomic_files import replacing


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', help='write the metrics to this json file')
    return parser.parse_args(argv)


def finite_or_null(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """A measure that the data does not settle (of a pattern without frames, say) is null: JSON knows no NaN."""
    return {name: float(value) if math.isfinite(value) else None for name, value in metrics.items()}


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with leaving_process_group():
        with one_line_errors():
            cfg = prepare(args)
            cfg.load_from, cfg.resume = (
                None,
                False,
            )  # where training begins; the runner would load it over the checkpoint
            runner = Runner.from_cfg(cfg)
            load_weights(unwrap(runner.model), args.checkpoint)
            _ = runner.test_loop  # reads the data
        metrics = runner.test()
        if args.out and is_main_process():
            with replacing(args.out) as draft:
                draft.write_text(json.dumps(finite_or_null(metrics), indent=2) + '\n')
