r"""Convert the annotations of JHMDB to COCO-style files for the jhmdb configs and MMPose's JhmdbDataset.

    posediff convert jhmdb data/jhmdb
    posediff convert jhmdb data/jhmdb --videos data/jhmdb/ReCompress_Videos

ROOT has JHMDB's folders splits, joint_positions and Rename_Images. The files annotations/split1_train.json and
annotations/split1_test.json are written into it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.datasets.converters.jhmdb import convert_jhmdb
from posediff.engine.command_line import one_line_errors


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('root', type=Path, help="folder of JHMDB's folders")
    parser.add_argument('--split', type=int, choices=(1, 2, 3), default=1, help="one of JHMDB's three splits")
    parser.add_argument(
        '--videos', type=Path, help='folder of the videos; frames that Rename_Images lacks are read from them'
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        counts = convert_jhmdb(args.root, args.split, args.videos)
    print(f'{args.root / "annotations"}: ' + ', '.join(f'{count} {name}' for name, count in counts.items()))
