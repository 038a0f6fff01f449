"""Convert an official checkpoint of DiffHPE, MixSTE or D3DP.

``python tools/model_converters/diffhpe.py SRC DST --config CONFIG``
"""

from __future__ import annotations

import argparse
from pathlib import Path

from posediff.launch import one_line_errors
from posediff.official_checkpoints import convert_checkpoint


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help='official checkpoint')
    parser.add_argument('destination', type=Path, help='checkpoint to write; posediff.init_model(CONFIG, DST) loads it')
    parser.add_argument('--config', type=Path, required=True, help='config of the model that the weights belong to')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with one_line_errors():
        count = convert_checkpoint(args.source, args.destination, args.config)
    print(f'wrote {args.destination}: {count} tensors, fit for {args.config}')


if __name__ == '__main__':
    main()
