"""Evaluate a checkpoint: ``python tools/test.py CONFIG CHECKPOINT``; many processes: ``tools/dist_test.sh``."""

from __future__ import annotations

import argparse
import json

from mmengine.dist import is_main_process

from posediff.atomic_files import replacing
from posediff.inference import load_weights
from posediff.launch import add_common_arguments, build_runner, leave_process_group, one_line_errors, prepare, unwrap


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', help='write the metrics to this json file')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with one_line_errors():
        cfg = prepare(args)
        runner = build_runner(cfg)
        load_weights(unwrap(runner.model), args.checkpoint)
        _ = runner.test_loop  # reads the data
    metrics = runner.test()
    if args.out and is_main_process():
        with replacing(args.out) as draft:
            draft.write_text(json.dumps({name: float(value) for name, value in metrics.items()}, indent=2) + '\n')
    leave_process_group()


if __name__ == '__main__':
    main()
