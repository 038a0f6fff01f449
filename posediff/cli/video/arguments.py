"""Arguments of ``posediff video``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.cli.export_arguments import add_export_options, export_choices
from posediff.cli.keypoint_file_arguments import keypoint_file_choices
from posediff.cli.video.stage_arguments import (
    add_camera_options,
    add_keypoint_source_options,
    add_lifting_options,
    add_pose_options,
)
from posediff.engine.command_line import one_line_errors, positive
from posediff.plugins.entry_points import load_plugins
from posediff.registry import DETECTORS, EXPORTERS, POSE_ESTIMATORS, SMOOTHERS, TRACKERS
from posediff.structures.component_choices import choices_help

DESCRIPTION = """Estimate the 2D and 3D poses of the people in a video and write them to a folder.

    posediff video VIDEO --out DIR

Writes poses.npz, poses.json, viewer.html, overlay.mp4 and scene.mp4. Ctrl-C stops the run: the frames processed so far
are written, and --resume continues with the next one."""
CHOICES = {'--detector': DETECTORS, '--pose': POSE_ESTIMATORS, '--tracker': TRACKERS, '--smooth': SMOOTHERS}
EXIT_CODES = 'Exit codes: 0 success, 1 no person found, 2 invalid arguments or input, 130 stopped with Ctrl-C.'


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    """Parse the arguments; plugins are loaded first, since their components are choices too."""
    with one_line_errors():
        load_plugins()
    EXPORTERS.import_from_location()
    choices = [f'choices of {flag}:\n{choices_help(registry)}' for flag, registry in CHOICES.items()]
    parser = command_parser(
        prog, DESCRIPTION, '\n\n'.join([*choices, export_choices('--export'), keypoint_file_choices(), EXIT_CODES])
    )
    parser.add_argument('video', help='video file, URL, camera (camera:0), image, or folder of images (with --fps)')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='folder for the results')
    parser.add_argument('--overwrite', action='store_true', help='replace existing results in the folder')
    parser.add_argument('--resume', action='store_true', help='continue an interrupted run; repeat its other options')
    _add_video_options(parser.add_argument_group('video'))
    add_pose_options(parser.add_argument_group('2D poses'))
    add_keypoint_source_options(parser.add_argument_group('2D poses from a file'))
    add_lifting_options(parser.add_argument_group('3D poses'))
    add_camera_options(parser.add_argument_group('camera and scale'))
    _add_output_options(parser.add_argument_group('output'))
    _add_compute_options(parser.add_argument_group('computation'))
    return parser.parse_args(argv)


def _add_video_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--fps',
        type=float,
        help='resample the video to this frame rate; the speed of motion does not change; default: its own rate',
    )
    group.add_argument(
        '--capture-fps',
        type=float,
        metavar='FPS',
        help='frame rate of the recording, if it differs from the playback rate (slow motion, time lapse)',
    )
    group.add_argument('--max-frames', type=positive, metavar='N', help='stop after N frames')
    group.add_argument(
        '--live',
        action='store_true',
        help='process in real time and skip frames to keep up: for cameras and streams; a file plays at its own speed',
    )


def _add_output_options(group: argparse._ArgumentGroup) -> None:
    formats = ','.join(sorted(EXPORTERS.module_dict))
    group.add_argument(
        '--export',
        default='',
        metavar='FORMATS',
        help=f'also write one file per person in these formats; comma-separated, from: {formats}',
    )
    add_export_options(group, '--export-options')
    group.add_argument(
        '--seen-joints-only', action='store_true', help='write NaN for joints that were not observed, in every file'
    )
    group.add_argument('--no-overlay', action='store_true', help='skip overlay.mp4, the video with the 2D poses')
    group.add_argument('--no-scene', action='store_true', help='skip scene.mp4, the video beside the 3D poses')


def _add_compute_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--device', default='cpu', help='torch device, e.g. cuda:0; default: %(default)s')
    group.add_argument(
        '--batch-size',
        type=positive,
        metavar='N',
        default=8,
        help='frames, and windows of the lifter, processed together; default: %(default)s',
    )
    group.add_argument(
        '--seed', type=int, default=0, help='seed of the noise, and of random weights; default: %(default)s'
    )
