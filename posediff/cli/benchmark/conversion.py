"""Measure a conversion between skeletons: joints of two 2D pose estimators on the same people, in torso lengths.

    posediff benchmark conversion data/jhmdb/Rename_Images/*/* --fps 30 --pose diffpose --every 14

Both estimators get the boxes of MediaPipe's detector in every Nth frame. The joints of --pose are converted to
--skeleton, those of --reference too, by the rules of posediff.structures.skeleton_conversion. The table has, for each
joint: the number of poses, the median distance, the same with fitted rules (poses of a tenth of the videos are left out
of the fit in turn), and for each vector in the body the median offset of the reference along it and the factor that
the fit adds to the rule. With rules that fit, distances are those of the fit and factors are near 0.

Poses on which the two disagree in general (median distance above 0.3) are left out, and joints whose reference has a
score below 0.5.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from posediff.cli.arguments import command_parser
from posediff.cli.provenance import provenance
from posediff.detection import MediaPipeDetector
from posediff.detection.base import BaseDetector
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.evaluation.joint_offsets import (
    FITTED_JOINTS,
    JointOffset,
    agreeing,
    body_vectors,
    combine,
    fit_offset,
    torso_lengths,
)
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.pipeline.frame_windows import frame_windows
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.registry import POSE_ESTIMATORS
from posediff.structures.component_choices import component_config
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.skeleton_conversion import convert_joints
from posediff.structures.skeletons import Skeleton, get_skeleton
from posediff.structures.video_frame import VideoFrame
from posediff.video import VideoSource, open_video

Poses = dict[str, np.ndarray]

LEAST_SCORE = 0.5
"""Least score of a joint of the reference."""

DETERMINING = (
    'videos', 'fps', 'every', 'pose', 'pose_checkpoint', 'pose_options', 'reference', 'reference_checkpoint',
    'reference_options',
)  # fmt: skip
"""Arguments that determine the keypoints in the file of ``--poses``."""


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('videos', nargs='+', metavar='VIDEO', help='videos or folders of images, at least two')
    parser.add_argument('--fps', type=float, metavar='RATE', help='frame rate of folders of images')
    parser.add_argument(
        '--every', type=positive, default=10, metavar='N', help='use every Nth frame; default: %(default)s'
    )
    for name, default in (('pose', 'diffpose'), ('reference', 'mediapipe')):
        parser.add_argument(
            f'--{name}', default=default, metavar='NAME', help='2D pose estimator; default: %(default)s'
        )
        parser.add_argument(f'--{name}-checkpoint', metavar='FILE', help=f'weights of --{name}')
        parser.add_argument(
            f'--{name}-options', nargs='+', default=[], metavar='NAME=VALUE', help=f'options of --{name}'
        )
    parser.add_argument(
        '--skeleton',
        default='mediapipe17',
        metavar='SKELETON',
        help='skeleton that both are converted to; default: %(default)s',
    )
    add_device(parser)
    parser.add_argument(
        '--poses',
        type=Path,
        metavar='FILE',
        help='.npz file of the keypoints: read if it exists, else written; it makes a second fit quick, and must have '
        'been written with the same videos, estimators, --fps and --every',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/conversion.json'),
        metavar='FILE',
        help='JSON file for the table; default: %(default)s',
    )
    return parser.parse_args(argv)


def poses_in(video: VideoSource, estimators: Mapping[str, BasePoseEstimator], every: int) -> Iterator[Poses]:
    """Yield the keypoints (K, 2) and scores (K,) of each estimator for every person in every Nth frame."""
    around = max(estimator.frames_around for estimator in estimators.values())
    for window in frame_windows(detected(video, MediaPipeDetector(), every), around):
        if not len(window.people):
            continue
        found = {}
        for name, estimator in estimators.items():
            own = window.frames[around - estimator.frames_around : around + estimator.frames_around + 1]
            (poses,) = estimator([FrameWindow(own, window.people)])
            found[name], found[f'{name} scores'] = poses.keypoints_2d, poses.keypoint_scores
        for row in range(len(window.people)):
            yield {name: values[row] for name, values in found.items()}


def detected(
    frames: Iterable[VideoFrame], detector: BaseDetector, every: int
) -> Iterator[tuple[VideoFrame, PersonBoxes]]:
    """Yield each frame with the people in it; only every Nth frame is searched, the others have none."""
    for number, frame in enumerate(frames):
        if number % every == every // 2:
            (people,) = detector([frame])
            yield frame, people
        else:
            yield frame, PersonBoxes.empty()


def collect(args: argparse.Namespace) -> dict[str, np.ndarray]:
    """Return the keypoints and scores of both estimators with the number of the video, or those of ``args.poses``."""
    if args.poses is not None and args.poses.exists():
        return read_poses(args.poses, args)
    estimators = {}
    for name in ('pose', 'reference'):
        given = (getattr(args, f'{name}{part}') for part in ('', '_checkpoint', '_options'))
        choice, checkpoint, options = given
        config = component_config(POSE_ESTIMATORS, f'--{name}', choice, checkpoint, args.device, options)
        estimators[name] = POSE_ESTIMATORS.build(config)
    rows: list[Poses] = []
    for number, name in enumerate(tqdm(args.videos, 'videos', unit='video', disable=None)):
        video = open_video(name, args.fps if Path(name).is_dir() else None)
        rows += [{**poses, 'video': np.array(number)} for poses in poses_in(video, estimators, args.every)]
    if not rows:
        raise ValueError(f'no person was found in {len(args.videos)} videos')
    found: dict[str, Any] = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    found |= {f'{name} skeleton': np.array(estimator.skeleton.name) for name, estimator in estimators.items()}
    if args.poses is not None:
        write_poses(args.poses, found, args)
    return found


def determining(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments :data:`DETERMINING`, as values for JSON; paths of existing files are absolute."""
    chosen = {name: getattr(args, name) for name in DETERMINING}
    chosen['videos'] = [absolute(video) for video in args.videos]
    for name in ('pose_checkpoint', 'reference_checkpoint'):
        chosen[name] = None if chosen[name] is None else absolute(chosen[name])
    return chosen


def absolute(text: str) -> str:
    """Return the absolute path of a file or folder; other text, e.g. a URL, as it is."""
    return str(Path(text).resolve()) if Path(text).exists() else text


def write_poses(path: Path, poses: Mapping[str, np.ndarray], args: argparse.Namespace) -> None:
    """Write the file of ``--poses``, with the arguments that determine it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as draft, draft.open('wb') as file:
        np.savez(file, **poses, arguments=np.array(json.dumps(determining(args))))  # type: ignore[arg-type]


def read_poses(path: Path, args: argparse.Namespace) -> dict[str, np.ndarray]:
    """Read a file of :func:`write_poses`.

    Raises:
        ValueError: It has no arguments, or was written with others than ``args``.
    """
    with np.load(path) as arrays:
        poses = dict(arrays)
    if 'arguments' not in poses:
        raise ValueError(f'--poses {path} has no record of the arguments that it was written with: delete it')
    written, given = json.loads(str(poses.pop('arguments'))), determining(args)
    differences = []
    for name in DETERMINING:
        before, now = written.get(name), given[name]
        if before == now:
            continue
        if name == 'videos':
            pairs = itertools.zip_longest(before or (), now, fillvalue='missing')
            place, pair = next((place, pair) for place, pair in enumerate(pairs, 1) if pair[0] != pair[1])
            differences.append(f'video {place} was {pair[0]}, is {pair[1]}')
        else:
            differences.append(f'--{name.replace("_", "-")} was {before}, is {now}')
    if differences:
        raise ValueError(
            f'--poses {path} was written with other arguments: {"; ".join(differences)}; name another file or delete it'
        )
    return poses


def measure(poses: Mapping[str, np.ndarray], target: Skeleton) -> list[JointOffset]:
    """Return the difference of each joint, left and right together, between the two estimators.

    Args:
        poses: See :func:`collect`.
        target: Skeleton that both are converted to.
    """
    skeleton = get_skeleton(str(poses['pose skeleton']))
    joints = poses['pose'].astype(float)
    ours, _, _ = convert_joints(joints, skeleton.name, target.name, poses['pose scores'])
    theirs, sure, _ = convert_joints(
        poses['reference'].astype(float), str(poses['reference skeleton']), target.name, poses['reference scores']
    )
    difference = np.where(sure[..., None] >= LEAST_SCORE, theirs - ours, np.nan)
    sizes = torso_lengths(joints, skeleton)
    kept = agreeing(difference, sizes)
    difference, sizes, joints, videos = (part[kept] for part in (difference, sizes, joints, poses['video']))
    offsets = []
    for joint in FITTED_JOINTS:
        has_side = f'left_{joint}' in target.joint_names
        sides = ('left', 'right') if has_side else ('',)
        columns = [target.joint_names.index(f'{side}_{joint}' if has_side else joint) for side in sides]
        vectors = [body_vectors(joint, side, skeleton) for side in sides]
        stacked = {
            name: np.concatenate([combine(joints, skeleton.joint_names, of_side[name]) for of_side in vectors])
            for name in vectors[0]
        }
        both = np.concatenate([difference[:, column] for column in columns])
        offsets.append(fit_offset(joint, both, stacked, np.tile(sizes, len(sides)), np.tile(videos, len(sides))))
    return offsets


def table(offsets: Sequence[JointOffset]) -> str:
    """Return a Markdown table with one row per joint and vector."""
    rows: list[list[str | float | None]] = []
    for one in offsets:
        for number, (vector, factor) in enumerate(one.factors.items()):
            cells = (one.joint, str(one.count), f'{one.distance:.3f}', f'{one.fitted_distance:.3f}')
            begin = cells if not number else ('', '', '', '')
            rows.append([*begin, vector, f'{one.offsets[vector]:+.3f}', f'{factor:+.2f}'])
    header = ['joint', 'poses', 'distance', 'distance, fitted', 'vector', 'offset along it', 'factor']
    return markdown_table(header, rows)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        target = get_skeleton(args.skeleton)
        offsets = measure(collect(args), target)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        rows = [dataclasses.asdict(one) for one in offsets]
        with atomic_write(args.out) as draft:
            draft.write_text(json.dumps({**provenance(args), 'joints': rows}, indent=1) + '\n')
    print(table(offsets))
