"""Merge PoseTrack2018's or PoseTrack21's annotations of a split, one file a video, to the file that the configs read.

    posediff convert merge-posetrack data/posetrack21/annotations/val data/posetrack21 \
        data/posetrack21/annotations/posetrack21_val.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from posediff.cli.arguments import command_parser
from posediff.datasets.converters.posetrack_merge import merge_posetrack
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
        counts = merge_posetrack(args.annotations, args.images, args.destination)
    print(f'{args.destination}: ' + ', '.join(f'{count} {name}' for name, count in counts.items()))
