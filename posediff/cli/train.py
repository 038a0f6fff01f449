"""Train a model.

For several processes, see ``posediff dist-train CONFIG GPUS``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.engine.launch import add_common_arguments, leaving_process_group, prepare, train
from posediff.fileio.checkpoint import safe_loading


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume training from this checkpoint; without a value, from the latest in the work dir',
    )
    parser.add_argument(
        '--amp',
        nargs='?',
        const='float16',
        choices=['float16', 'bfloat16'],
        help='automatic mixed precision; without a value: float16',
    )
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate to the actual batch size')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate during training')
    return parser.parse_args(argv)


def apply_arguments(cfg: Config, args: argparse.Namespace) -> None:
    """Set mixed precision, resuming, learning rate scaling and validation in the config, as the arguments request.

    Raises:
        ValueError: float16 is requested without CUDA.
    """
    if args.amp:
        if args.amp == 'bfloat16':
            cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
        elif not torch.cuda.is_available():
            raise ValueError('--amp float16 needs CUDA; --amp bfloat16 runs on the CPU too')
        else:
            cfg.optim_wrapper.update(type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic')
    if args.resume == 'auto':
        # without a checkpoint to resume from, training starts as configured, from load_from if the config has it
        if find_latest_checkpoint(cfg.work_dir) is not None:
            cfg.resume, cfg.load_from = True, None
    elif args.resume:
        cfg.resume, cfg.load_from = True, args.resume
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with safe_loading(), leaving_process_group():
        with one_line_errors():
            cfg = prepare(args)
            apply_arguments(cfg, args)
        train(cfg)
