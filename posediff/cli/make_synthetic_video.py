"""Render a video dataset in PoseTrack18 format.

The clips show several people among objects, moved by motion capture or generated motion.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from posediff.cli.arguments import command_parser, image_size
from posediff.datasets.posetrack_writing import MAX_FRAMES
from posediff.engine.command_line import one_line_errors, positive
from posediff.synthetic.generate import VideoSet, generate_videos
from posediff.synthetic.scene import ClipSettings

SIDES = (32, 4096)


def count(text: str) -> int:
    """Convert the text of an argument to a whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is not a number of clips')
    return int(text)


def frame_count(text: str) -> int:
    """Convert the text of an argument to a number of frames, from 1 to ``MAX_FRAMES``."""
    frames = positive(text)
    if frames > MAX_FRAMES:
        raise argparse.ArgumentTypeError(f'{text} frames are more than {MAX_FRAMES}')
    return frames


def frame_size(text: str) -> tuple[int, int]:
    """Convert ``WxH`` to (h, w) px within :data:`SIDES`."""
    size = image_size(text)
    if not all(SIDES[0] <= side <= SIDES[1] for side in size):
        raise argparse.ArgumentTypeError(f'{text!r} is not WxH, e.g. 320x240, of {SIDES[0]} to {SIDES[1]} px')
    return size


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument(
        'out', help='folder to write to; a dataset begun with the same arguments is completed or extended'
    )
    parser.add_argument('--motion', help='folder of converted CMU motion, e.g. data/cmu; default: generated motion')
    parser.add_argument('--train-clips', type=count, default=240, help='number of training clips; default: %(default)s')
    parser.add_argument('--val-clips', type=count, default=60, help='number of validation clips; default: %(default)s')
    parser.add_argument(
        '--frames', type=frame_count, default=24, help='frames per clip, at 25 fps; default: %(default)s'
    )
    parser.add_argument(
        '--size', type=frame_size, default=(240, 320), metavar='WxH', help='image size, px; default: 320x240'
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the dataset; default: %(default)s')
    parser.add_argument(
        '--label-every',
        type=positive,
        default=1,
        metavar='N',
        help='label every Nth frame of val (PoseTrack: 4); default: %(default)s',
    )
    parser.add_argument(
        '--workers',
        type=positive,
        default=len(os.sched_getaffinity(0)),
        help='number of processes; default: one per core',
    )
    args = parser.parse_args(argv)
    if not args.train_clips + args.val_clips:
        parser.error('--train-clips and --val-clips are both 0')
    return args


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    settings = ClipSettings(args.seed, args.frames, args.size)
    clips = {'train': args.train_clips, 'val': args.val_clips}
    with one_line_errors():
        done = generate_videos(args.out, VideoSet(settings, clips, args.motion, args.label_every), args.workers)
    print(f'{done["written"]} sequences written, {done["kept"]} kept, in {args.out}')
