"""Label the people in videos with a 2D pose estimator and write a dataset for training in PoseTrack18 format.

    posediff pseudo-label VIDEO... --out DIR --pose movenet-thunder --pose-checkpoint FILE

A keypoint becomes a label if its score is high enough, if the prediction in the mirrored image is near, and if the
neighbouring frames agree; other keypoints have no weight in training. Frames go to DIR/images, labels to
DIR/annotations/posetrack18_train.json, counts to DIR/labels.json. Videos that DIR has already are not labelled again:
the same command completes an interrupted run, and one with more videos adds them.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from posediff.cli.arguments import command_parser
from posediff.cli.video.components import detector_config, pose_config, tracker_config
from posediff.cli.video.stage_arguments import add_people_options
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.pipeline.observing import Observer
from posediff.pipeline.pseudo_labels import LabelledSet, LabelRules, PseudoLabeller, video_key
from posediff.plugins.entry_points import load_plugins
from posediff.pose_estimation.mirrored import MirroredEstimator
from posediff.registry import DETECTORS, POSE_ESTIMATORS, TRACKERS
from posediff.structures.component_choices import choices_help
from posediff.video import VideoSource, open_video

CHOICES = {'--detector': DETECTORS, '--pose': POSE_ESTIMATORS, '--tracker': TRACKERS}
RULES = LabelRules()
FILES = ('checkpoint', 'config', 'model', 'path')
"""Arguments of components that may be files."""


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    """Parse the arguments; plugins are loaded first, since their components are choices too."""
    with one_line_errors():
        load_plugins()
    choices = [f'choices of {flag}:\n{choices_help(registry)}' for flag, registry in CHOICES.items()]
    parser = command_parser(prog, __doc__, '\n\n'.join(choices))
    parser.add_argument('videos', nargs='+', metavar='VIDEO', help='video file, or folder of images (with --fps)')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='folder of the dataset')
    parser.add_argument('--fps', type=float, help='resample videos to this frame rate; default: their own')
    parser.add_argument('--max-frames', type=positive, metavar='N', help='read the first N frames of a video')
    add_device(parser)
    parser.add_argument(
        '--batch-size', type=positive, default=8, metavar='N', help='frames per batch; default: %(default)s'
    )
    add_people_options(parser.add_argument_group('2D poses'), tracker_default='pose')
    _add_rules(parser.add_argument_group('keypoints that become labels'))
    return parser.parse_args(argv)


def _add_rules(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--min-score',
        type=float,
        default=RULES.min_score,
        metavar='SCORE',
        help='least score of a keypoint; default: %(default)s',
    )
    group.add_argument(
        '--max-mirror-distance',
        type=float,
        default=RULES.max_mirror_distance,
        metavar='SHARE',
        help='greatest distance to the prediction in the mirrored image, relative to the longer side of the box around '
        "the person's keypoints; default: %(default)s",
    )
    group.add_argument(
        '--max-time-distance',
        type=float,
        default=RULES.max_time_distance,
        metavar='SHARE',
        help='greatest distance to the median of the neighbouring frames or to the line between them, relative to the '
        'same side; default: %(default)s',
    )
    group.add_argument(
        '--reach',
        type=positive,
        default=RULES.reach,
        metavar='N',
        help='number of neighbouring frames before and after; default: %(default)s',
    )
    group.add_argument(
        '--min-joints',
        type=positive,
        default=RULES.min_joints,
        metavar='N',
        help='a person with fewer kept keypoints in a frame is left out there; default: %(default)s',
    )


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Label the videos, write the dataset and print what was kept."""
    args = parse_args(argv, prog)
    with one_line_errors():
        rules = LabelRules(
            args.min_score, args.max_mirror_distance, args.max_time_distance, args.reach, args.min_joints
        )
        videos = {video_key(name): name for name in args.videos}  # a video may be named twice
        labelled = LabelledSet(args.out, _settings(args, rules))
        _check_detector(args, {*labelled.videos, *videos})
        missing = [name for name in videos.values() if name not in labelled]
        labeller = _labeller(args, rules) if missing else None
        for name in tqdm(missing, unit='video', disable=None):
            labelled.add(open_video(name, args.fps), labeller)  # type: ignore[arg-type]
        record = labelled.finish()
    print(f'{len(missing)} videos labelled, {len(videos) - len(missing)} were labelled already; {args.out} has:')
    print('\n'.join(record.lines()))


def _check_detector(args: argparse.Namespace, videos: Collection[str]) -> None:
    """Raise ValueError if the boxes of one video are given for several: those named and those in the set."""
    if args.detector is not None and Path(args.detector).expanduser().is_file() and len(videos) > 1:
        raise ValueError(
            f'--detector {args.detector} has the boxes of one video, but {args.out} would have {len(videos)}: '
            f'{", ".join(sorted(videos))}'
        )


def _settings(args: argparse.Namespace, rules: LabelRules) -> dict[str, Any]:
    """Return all arguments that determine the labels of a video, as values for JSON."""
    components = {'detector': detector_config(args), 'pose': pose_config(args), 'tracker': tracker_config(args)}
    named = {
        name: {key: _plain(key, value) for key, value in config.items() if key != 'device'}
        for name, config in components.items()
    }
    return {
        **named,
        'min_pose_score': args.min_pose_score,
        'fps': args.fps,
        'max_frames': args.max_frames,
        'rules': asdict(rules),
    }


def _plain(key: str, value: Any) -> Any:
    """Return an argument as a value for JSON; the same file is the same value from every folder."""
    if isinstance(value, (bool, int, float, type(None))):
        return value
    if key in FILES and Path(value).expanduser().is_file():
        return str(Path(value).expanduser().resolve())
    return str(value)


def _labeller(args: argparse.Namespace, rules: LabelRules) -> PseudoLabeller:
    """Build the labeller: the pose estimator once for all videos, detector and tracker for each video."""
    estimator = POSE_ESTIMATORS.build(pose_config(args))
    mirrored = MirroredEstimator(estimator.without_flip_test())  # an average is the same in the mirrored image

    def new_observer(video: VideoSource) -> Observer:
        images = tuple(path.name for path in video.images or ())
        detector, tracker = DETECTORS.build(detector_config(args, images)), TRACKERS.build(tracker_config(args))
        return Observer(detector, estimator, tracker, args.batch_size, args.min_pose_score)

    return PseudoLabeller(new_observer, mirrored, rules, args.max_frames, args.batch_size)
