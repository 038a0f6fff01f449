"""Strip a training checkpoint to what inference needs: ``posediff publish IN OUT``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.fileio.atomic_files import replacing
from posediff.fileio.checkpoint import load_checkpoint, load_state
from posediff.fileio.safetensors_files import SUFFIX, as_half, write_safetensors
from posediff.models.inference_config import inference_config

KEPT_META = ('epoch', 'iter', 'seed')  # the whole config would tell of the machine that trained it


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('source', type=Path, help='checkpoint written by training')
    parser.add_argument('destination', type=Path, help='file to write: .pth, or .safetensors')
    parser.add_argument('--half', action='store_true', help='write float16: half the size, read as float32 again')
    parser.add_argument(
        '--config-out', type=Path, help='write what inference needs of the training config to this file'
    )
    return parser.parse_args(argv)


def publish(source: Path, destination: Path, half: bool = False) -> int:
    """Write weights (of the averaged model where there is one) and provenance; return the file's size in bytes."""
    state = load_state(source)
    if half:
        state = as_half(state, str(source))
    meta = load_checkpoint(source).get('meta', {})
    kept = {key: meta[key] for key in KEPT_META if key in meta}
    if destination.suffix == SUFFIX:
        write_safetensors(destination, state, kept)
    else:
        with replacing(destination) as draft:
            torch.save({'state_dict': state, 'meta': kept}, draft)
    return destination.stat().st_size


def write_config(source: Path, destination: Path) -> None:
    """Write the model, and what input it wants, as a config without parents."""
    text = load_checkpoint(source).get('meta', {}).get('cfg')
    if text is None:
        raise ValueError(f'{source} does not hold the config that it was trained with')
    cfg = Config.fromstring(text, file_format='.py')
    with replacing(destination) as draft:
        draft.write_text(inference_config(cfg).pretty_text)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        size = publish(args.source, args.destination, args.half)
        if args.config_out is not None:
            write_config(args.source, args.config_out)
    print(f'wrote {args.destination}: {size / 1e6:.2f} MB')
