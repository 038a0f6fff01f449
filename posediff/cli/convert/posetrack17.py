r"""Convert the annotations of a split of PoseTrack2017 to the COCO-style file that the posetrack17 configs read.

    posediff convert posetrack17 data/posetrack17/annotations/val data/posetrack17 \
        data/posetrack17/annotations/posetrack17_val.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from posediff.cli.convert.posetrack_split import convert_split, parse_split
from posediff.datasets.converters.posetrack17 import convert_posetrack17


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    return parse_split(__doc__, argv, prog)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    convert_split(convert_posetrack17, parse_args(argv, prog))
