"""Strip a training checkpoint to what inference needs: ``python tools/model_converters/publish.py IN OUT``."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from posediff.atomic_files import replacing
from posediff.checkpoint import load_checkpoint, load_state
from posediff.launch import one_line_errors

KEPT_META = ('epoch', 'iter', 'seed', 'cfg', 'experiment_name')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help='checkpoint written by training')
    parser.add_argument('destination', type=Path, help='file to write')
    parser.add_argument(
        '--half', action='store_true', help='store floats as float16: half the size, read back as float32'
    )
    return parser.parse_args()


def publish(source: Path, destination: Path, half: bool) -> int:
    """Write weights (of the averaged model where there is one) and provenance; return the file's size in bytes."""
    state = load_state(source)
    if half:
        state = {name: value.half() if value.dtype == torch.float32 else value for name, value in state.items()}
    meta = load_checkpoint(source).get('meta', {})
    with replacing(destination) as draft:
        torch.save({'state_dict': state, 'meta': {key: meta[key] for key in KEPT_META if key in meta}}, draft)
    return destination.stat().st_size


def main() -> None:
    args = parse_args()
    with one_line_errors():
        size = publish(args.source, args.destination, args.half)
    print(f'wrote {args.destination}: {size / 1e6:.2f} MB')


if __name__ == '__main__':
    main()
