"""Measure the 2D part of the video pipeline on annotated video: percentage of correct keypoints with detected people.

    posediff benchmark pipeline-pck data/jhmdb/annotations/split1_test.json --pose diffpose --out out/diffpose.json
    posediff benchmark pipeline-pck data/jhmdb/annotations/split1_test.json --out out/mediapipe.json \\
        --against out/diffpose.json
    posediff benchmark pipeline-pck data/jhmdb/annotations/split1_test.json --given-boxes --pose movenet-thunder \\
        --pose-checkpoint checkpoints/movenet-thunder.pth

Every frame of a clip goes through detector, pose estimator, tracker and the correction of sides, as in posediff video.
An annotated person is matched to the found person with the largest IoU; all joints of a person that was not found are
wrong. With --given-boxes, the pose estimator alone gets the boxes of the annotated joints. The joints are nose (JHMDB's
centre of the face), shoulders, elbows, wrists, hips, knees and ankles inside the picture. The file of --out is that of
the metric KeypointPCK: posediff benchmark pck compares two.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import MMLogger
from tqdm import tqdm

from posediff.cli.arguments import command_parser
from posediff.cli.benchmark.pck import comparison, require_comparable
from posediff.cli.provenance import provenance
from posediff.detection.base import BaseDetector
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.evaluation.annotated_clips import (
    DATASET_META,
    AnnotatedClip,
    counted_columns,
    read_jhmdb_clips,
    samples_of_frame,
)
from posediff.evaluation.metrics import KeypointPCK
from posediff.evaluation.pck_counts import read_counts
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.pipeline.frame_windows import frame_windows, in_batches
from posediff.pipeline.observing import Observer
from posediff.pipeline.side_swaps import SideSwapRepair
from posediff.pose_estimation.base import BasePoseEstimator
from posediff.registry import DETECTORS, POSE_ESTIMATORS, TRACKERS, ComponentRegistry
from posediff.structures.component_choices import component_config
from posediff.structures.frame_poses import FramePoses
from posediff.structures.person_boxes import PersonBoxes
from posediff.video import VideoSource, open_video


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('annotations', type=Path, help='file of posediff convert jhmdb')
    parser.add_argument(
        '--images',
        type=Path,
        metavar='DIR',
        help='folder that paths in the file are relative to; default: the folder above that of the file',
    )
    parser.add_argument(
        '--clips',
        type=positive,
        metavar='N',
        help='number of clips, evenly spaced in order of their names; default: all',
    )
    parser.add_argument(
        '--fps', type=float, default=30.0, metavar='RATE', help='frame rate of the clips; default: %(default)s'
    )
    parser.add_argument(
        '--given-boxes',
        action='store_true',
        help='boxes of the annotated joints instead of detector, tracker and correction of sides',
    )
    for name, what in (('detector', 'detector'), ('pose', '2D pose estimator')):
        parser.add_argument(
            f'--{name}',
            default='mediapipe',
            metavar='NAME',
            help=f'{what}, as for posediff video; default: %(default)s',
        )
        parser.add_argument(f'--{name}-checkpoint', metavar='FILE', help=f'weights of --{name}')
        parser.add_argument(
            f'--{name}-options', nargs='+', default=[], metavar='NAME=VALUE', help=f'options of --{name}'
        )
    parser.add_argument(
        '--min-pose-score', type=float, default=0.3, metavar='SCORE', help='as for posediff video; default: %(default)s'
    )
    parser.add_argument(
        '--keep-sides', action='store_true', help='do not correct swaps of left and right in the 2D poses'
    )
    parser.add_argument(
        '--min-iou',
        type=float,
        default=0.3,
        metavar='IOU',
        help='least IoU of the boxes of the joints of an annotated and a found person; default: %(default)s',
    )
    add_device(parser)
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/pipeline_pck.json'),
        metavar='FILE',
        help='JSON file of the results; default: %(default)s',
    )
    parser.add_argument(
        '--against', type=Path, metavar='FILE', help='file of another run: print the differences to it, by clips'
    )
    args = parser.parse_args(argv)
    unused = ('detector', 'detector_checkpoint', 'detector_options', 'min_pose_score', 'keep_sides', 'min_iou')
    given = [name for name in unused if getattr(args, name) != parser.get_default(name)]
    if args.given_boxes and given:
        options = ', '.join('--' + name.replace('_', '-') for name in given)
        parser.error(f'--given-boxes uses neither detector nor tracker: {options} would have no effect')
    return args


def observe(
    video: VideoSource, detector: BaseDetector, estimator: BasePoseEstimator, args: argparse.Namespace
) -> Iterator[FramePoses]:
    """Yield the people found in each frame of a video, as in ``posediff video``."""
    tracker = TRACKERS.build(component_config(TRACKERS, '--tracker', 'pose'))
    poses = Observer(detector, estimator, tracker, min_pose_score=args.min_pose_score)(video, video.fps)
    return poses if args.keep_sides else SideSwapRepair(estimator.skeleton, video.fps)(poses)


def estimate_in_boxes(
    video: VideoSource, boxes: Sequence[Sequence[np.ndarray]], estimator: BasePoseEstimator
) -> Iterator[FramePoses]:
    """Yield the poses in the boxes of each frame, each (1, 4) px."""
    people = (
        PersonBoxes(np.concatenate([np.empty((0, 4)), *found]).astype(np.float32), np.ones(len(found), np.float32))
        for found in boxes
    )
    windows = frame_windows(zip(video, people, strict=True), estimator.frames_around)
    return (poses for batch in in_batches(windows, 8) for poses in estimator(batch))


def clip_samples(
    clip: AnnotatedClip, detector: BaseDetector | None, estimator: BasePoseEstimator, args: argparse.Namespace
) -> tuple[list[dict[str, Any]], int, int]:
    """Estimate the poses of all annotated people of a clip; without a detector, in their boxes.

    Returns:
        The samples of ``KeypointPCK``, and the number of people found in the annotated frames, annotated or not, and of
        these frames.

    Raises:
        ValueError: A frame with annotations is not in the folder.
    """
    video = open_video(clip.folder, args.fps)
    frames: dict[str, list[dict[str, Any]]] = {}
    for person in clip.people:
        frames.setdefault(Path(person['frame_path']).name, []).append(person)
    names = [path.name for path in video.images or ()]
    missing = sorted(set(frames) - set(names))
    if missing:
        raise ValueError(f'{clip.folder} has no {missing[0]}, which {args.annotations} annotates')
    if detector is None:
        boxes = [[person['bbox'] for person in frames.get(name, ())] for name in names]
        poses, min_iou = estimate_in_boxes(video, boxes, estimator), None
    else:
        poses, min_iou = observe(video, detector, estimator, args), args.min_iou
    samples, number = [], 0
    for name, found in zip(names, poses, strict=True):
        if name in frames:
            samples += samples_of_frame(frames[name], found, estimator.skeleton, video.img_shape, min_iou)
            number += len(found)
    return samples, number, len(frames)


def build(args: argparse.Namespace, name: str, registry: ComponentRegistry) -> Any:
    """Build the component that ``--NAME`` chooses, with its checkpoint and options."""
    chosen, checkpoint, options = (getattr(args, f'{name}{end}') for end in ('', '_checkpoint', '_options'))
    return registry.build(component_config(registry, f'--{name}', chosen, checkpoint, args.device, options))


def measure(args: argparse.Namespace) -> dict[str, float]:
    """Run the pipeline on the clips, write the file of results and return the measures."""
    clips = read_jhmdb_clips(args.annotations, args.images or args.annotations.parent.parent, args.clips)
    other = None if args.against is None else read_counts(args.against)
    detector = None if args.given_boxes else build(args, 'detector', DETECTORS)
    estimator = build(args, 'pose', POSE_ESTIMATORS)
    counted_columns(estimator.skeleton)
    metric = KeypointPCK(normalizers=('box', 'torso'), out_file=str(args.out))
    metric.dataset_meta = DATASET_META
    samples, people, frames = [], 0, 0
    for clip in tqdm(clips, 'clips', unit='clip', disable=None):
        of_clip, *numbers = clip_samples(clip, detector, estimator, args)
        samples += of_clip
        people, frames = people + numbers[0], frames + numbers[1]
    metric.process(None, samples)
    metrics = metric.evaluate(len(samples))
    number = sum(sample['pred_instances'] is not None for sample in samples)
    metrics['people found'] = 100 * number / len(samples)
    document = json.loads(args.out.read_text())
    metrics['people a frame'] = people / frames
    document['metrics'].update({name: metrics[name] for name in ('people found', 'people a frame')})
    with atomic_write(args.out) as draft:
        draft.write_text(json.dumps({**document, **provenance(args)}) + '\n')
    groups = document['scores']['errors']
    rows = [[f'{one["score"]:.2f}', one['count'], one['error'], 100 * one['accuracy']] for one in groups]
    print(markdown_table(['score', 'keypoints', 'mean error (box)', 'right at 0.2, %'], rows, digits=2))
    print(
        f'{number} of {len(samples)} annotated people found in {len(clips)} clips; with people who are not annotated '
        f'and false ones, {people / frames:.2f} people a frame'
    )
    if other is not None:
        names = [str(args.against), str(args.out)]
        ours = read_counts(args.out)
        require_comparable(other, ours, names)
        print(comparison(other, ours, names))
    return metrics


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    MMLogger.get_instance('pipeline-pck')  # the metric logs its table per joint there
    with one_line_errors():
        measure(args)
