"""Reduce a training checkpoint to what inference needs: ``posediff publish IN OUT``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.checkpoint import load_checkpoint, state_of
from posediff.fileio.literal_config import parse_literal_config
from posediff.fileio.safetensors_files import SUFFIX, as_half, write_safetensors
from posediff.models.inference_config import inference_config

KEPT_META = ('epoch', 'iter', 'seed')  # the whole config contains paths of the training machine


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('source', type=Path, help='checkpoint written by training')
    parser.add_argument('destination', type=Path, help='file to write: .pth, or .safetensors')
    parser.add_argument('--half', action='store_true', help='write float16: half the size, read as float32 again')
    parser.add_argument(
        '--config-out', type=Path, help='write what inference needs of the training config to this file'
    )
    return parser.parse_args(argv)


def publish(source: Path, destination: Path, half: bool = False, config_out: Path | None = None) -> int:
    """Write the weights of a training checkpoint, and optionally its config; either both files are written or none.

    If the checkpoint has averaged weights under ``state_dict``, as MMEngine's ``EMAHook`` stores them, these are
    written. Of the metadata, only epoch, iteration and seed are kept.

    Args:
        source: Checkpoint written by training.
        destination: File to write: safetensors if the name ends in ``.safetensors``, else a PyTorch checkpoint.
        half: Write float16.
        config_out: File for the model and the description of its input, as a config without parents; None: no config.

    Returns:
        Size of the file with the weights in bytes.

    Raises:
        FileNotFoundError: ``source`` does not exist.
        ValueError: The checkpoint or its config cannot be read, a weight is too large for float16, or two of the paths
            are the same file.
    """
    check_paths(source, destination, config_out)
    checkpoint = load_checkpoint(source)
    state = state_of(checkpoint, source)
    meta = checkpoint.get('meta') or {}
    text = None if config_out is None else _config_text(meta, source)
    if half:
        state = as_half(state, str(source))
    kept = {key: meta[key] for key in KEPT_META if key in meta}
    with ExitStack() as both:
        draft = both.enter_context(atomic_write(destination))
        if config_out is not None and text is not None:
            both.enter_context(atomic_write(config_out)).write_text(text, encoding='utf-8')
        write_weights(draft, destination, state, kept)
    return destination.stat().st_size


def write_weights(draft: Path, destination: Path, state: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write weights to ``draft`` in the format of ``destination``: safetensors, or a PyTorch checkpoint."""
    if destination.suffix == SUFFIX:
        write_safetensors(draft, state, meta)
    else:
        torch.save({'state_dict': dict(state), 'meta': dict(meta)}, draft)


def check_paths(source: Path, destination: Path, config_out: Path | None) -> None:
    """Raise an error if two of the paths are the same file, or a file to write is a folder."""
    written = [path for path in (destination, config_out) if path is not None]
    if len({path.resolve() for path in (source, *written)}) <= len(written):
        raise ValueError(f'{", ".join(map(str, (source, *written)))} must be different files')
    for path in written:
        if path.is_dir():
            raise IsADirectoryError(f'{path} is a folder; give the file to write')


def _config_text(meta: Mapping[str, Any], source: Path) -> str:
    """Return what inference needs of the config in a checkpoint. The config is read as literals, not run.

    Raises:
        ValueError: The checkpoint has no config, the config consists of more than literals, or it has no model.
    """
    text = meta.get('cfg')
    if not isinstance(text, str):
        raise ValueError(f'{source} does not hold the config that it was trained with')
    origin = f'the config in {source}'
    return inference_config(Config(parse_literal_config(text, origin)), origin).pretty_text


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        size = publish(args.source, args.destination, args.half, args.config_out)
    print(f'wrote {args.destination}: {size / 1e6:.2f} MB')
