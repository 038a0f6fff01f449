"""Evaluate a checkpoint: ``python tools/test.py CONFIG CHECKPOINT``; many processes: ``tools/dist_test.sh``."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from posediff.engine.command_line import one_line_errors
from posediff.engine.launch import add_common_arguments, leaving_process_group, prepare, unwrap
from posediff.engine.model_building import load_weights
from posediff.fileio.atomic_files import replacing


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', help='write the metrics to this json file')
    return parser.parse_args()


def finite_or_null(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """A measure that the data does not settle (of a pattern without frames, say) is null: JSON knows no NaN."""
    return {name: float(value) if math.isfinite(value) else None for name, value in metrics.items()}


def main() -> None:
    args = parse_args()
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


if __name__ == '__main__':
    main()
