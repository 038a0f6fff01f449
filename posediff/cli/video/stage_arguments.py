"""Arguments of the stages of ``posediff video``: 2D poses, 3D poses, camera."""

from __future__ import annotations

import argparse
from pathlib import Path

from posediff.assets import LIFTER_CONFIG
from posediff.cli.keypoint_file_arguments import add_keypoint_file_options
from posediff.engine.command_line import positive
from posediff.registry import SMOOTHERS, TRACKERS
from posediff.structures.component_choices import command_line_choices


def add_pose_options(group: argparse._ArgumentGroup) -> None:
    """Add the choice of detector, 2D pose estimator and tracker, and their thresholds."""
    add_people_options(group, tracker_default='pose, or the ids of the --keypoints file if it has any')
    group.add_argument(
        '--score-threshold',
        type=float,
        metavar='SCORE',
        help='ignore keypoints with a lower score; default: that of --pose, 0.3 for most',
    )
    group.add_argument(
        '--keep-sides', action='store_true', help='do not correct swaps of left and right in the 2D poses'
    )


def add_people_options(group: argparse._ArgumentGroup, tracker_default: str) -> None:
    """Add the choice of detector, 2D pose estimator and tracker, and the least score of a pose."""
    group.add_argument(
        '--detector', metavar='NAME', help='finds the people in each frame; default: mediapipe; choices: see below'
    )
    group.add_argument('--detector-checkpoint', metavar='FILE', help='weights of the detector: file, URL, or random')
    _add_component_options(group, '--detector')
    group.add_argument(
        '--pose',
        metavar='NAME',
        help='estimates the 2D keypoints of each person; default: mediapipe; choices: see below',
    )
    group.add_argument(
        '--pose-checkpoint', metavar='FILE', help='weights of the 2D pose estimator: file, URL, or random'
    )
    _add_component_options(group, '--pose')
    group.add_argument(
        '--tracker',
        choices=list(command_line_choices(TRACKERS)),
        help=f'assigns track ids; default: {tracker_default}; choices: see below',
    )
    _add_component_options(group, '--tracker')
    group.add_argument(
        '--min-pose-score',
        type=float,
        default=0.3,
        metavar='SCORE',
        help='discard poses with a lower mean keypoint score; default: %(default)s',
    )


def add_keypoint_source_options(group: argparse._ArgumentGroup) -> None:
    """Add the keypoint file that replaces detector and 2D pose estimator, and its options."""
    group.add_argument(
        '--keypoints', metavar='PATH', help='file or folder of 2D keypoints; replaces --detector and --pose'
    )
    add_keypoint_file_options(group)


def add_lifting_options(group: argparse._ArgumentGroup) -> None:
    """Add the choice and the options of the lifting model, gap handling and smoothing."""
    group.add_argument(
        '--lifter',
        metavar='CONFIG',
        default=LIFTER_CONFIG,
        help='config file, or name of a packaged config, of the lifting model; default: the packaged model',
    )
    group.add_argument('--lifter-checkpoint', metavar='FILE', help='weights of the lifting model: file, or random')
    group.add_argument(
        '--num-hypotheses',
        type=positive,
        metavar='M',
        help='number of poses sampled per frame; default: that of the config, 5 with --live',
    )
    group.add_argument(
        '--num-inference-steps',
        type=positive,
        metavar='N',
        help='denoiser evaluations per hypothesis; default: that of the config',
    )
    group.add_argument(
        '--max-gap',
        type=float,
        default=0.5,
        metavar='S',
        help='longest gap in a track to lift across, seconds; default: %(default)s',
    )
    group.add_argument('--fill', action='store_true', help='write poses inside such gaps too, marked as not observed')
    group.add_argument(
        '--smooth',
        choices=list(command_line_choices(SMOOTHERS)),
        help='filters the 3D joints over time; default: no filter; choices: see below',
    )
    _add_component_options(group, '--smooth')


def _add_component_options(group: argparse._ArgumentGroup, flag: str) -> None:
    group.add_argument(
        f'{flag}-options',
        nargs='+',
        default=[],
        metavar='NAME=VALUE',
        help=f'options of the component that {flag} chooses: see below',
    )


def add_camera_options(group: argparse._ArgumentGroup) -> None:
    """Add the intrinsics of the camera, and the body height that sets the scale."""
    group.add_argument(
        '--focal', type=float, metavar='PX', help='focal length, px; default: the longer side of the image'
    )
    group.add_argument(
        '--calibration', type=Path, metavar='FILE', help='Pose2Sim (.toml) or Qualisys (.xml) file; replaces --focal'
    )
    group.add_argument(
        '--camera', metavar='NAME', help='camera of the calibration file; required if the file has several'
    )
    group.add_argument(
        '--max-crop',
        type=int,
        default=0,
        metavar='PX',
        help='accept a video smaller than the calibrated image by up to this many px; default: %(default)s',
    )
    group.add_argument(
        '--height',
        type=float,
        metavar='M',
        help='body height of every person, metres; scales poses and distances; default: scale of the lifting model',
    )
