r"""Merge the annotations of a split of PoseTrack2018 or PoseTrack21 into the file that the configs read.

    posediff convert merge-posetrack data/posetrack21/annotations/val data/posetrack21 \
        data/posetrack21/annotations/posetrack21_val.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from posediff.cli.convert.posetrack_split import convert_split, parse_split
from posediff.datasets.converters.posetrack_merge import merge_posetrack


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    return parse_split(__doc__, argv, prog)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    convert_split(merge_posetrack, parse_args(argv, prog))
