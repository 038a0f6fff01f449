"""Convert PoseTrack2017's annotations of a split to the COCO-style file that the posetrack17 configs read.

    posediff convert posetrack17 data/posetrack17/annotations/val data/posetrack17 \
        data/posetrack17/annotations/posetrack17_val.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from posediff.cli.arguments import command_parser
from posediff.datasets.converters.posetrack17 import convert_posetrack17
from posediff.engine.command_line import one_line_errors


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('annotations', help="folder of the split's .json files, one a video")
    parser.add_argument('images', help='folder that the image names in them start from')
    parser.add_argument('destination', help='file to write')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        counts = convert_posetrack17(args.annotations, args.images, args.destination)
    print(f'{args.destination}: ' + ', '.join(f'{count} {name}' for name, count in counts.items()))
