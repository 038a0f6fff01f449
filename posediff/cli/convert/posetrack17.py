"""Convert PoseTrack2017's annotations of a split to the COCO-style file that the posetrack17 configs read.

    python tools/dataset_converters/posetrack17_to_coco.py data/posetrack17/annotations/val data/posetrack17 \
        data/posetrack17/annotations/posetrack17_val.json
"""

from __future__ import annotations

import argparse

from posediff.datasets.converters.posetrack17 import convert_posetrack17
from posediff.engine.command_line import one_line_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('annotations', help="folder of the split's .json files, one a video")
    parser.add_argument('images', help='folder that the image names in them start from')
    parser.add_argument('destination', help='file to write')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with one_line_errors():
        counts = convert_posetrack17(args.annotations, args.images, args.destination)
    print(f'{args.destination}: ' + ', '.join(f'{count} {name}' for name, count in counts.items()))


if __name__ == '__main__':
    main()
