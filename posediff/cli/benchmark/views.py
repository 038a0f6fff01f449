"""Evaluate a lifter on real videos: each camera is lifted alone and compared with triangulation from the others.

    posediff benchmark views CALIBRATION VIDEO VIDEO VIDEO ... --out DIR

Needs calibrated, synchronous videos of one person, in the order of the cameras in the calibration file. --pose
estimates the keypoints that are lifted, and MediaPipe, or --reference, those that are triangulated. The 12 joints of
arms and legs, which all skeletons define, are compared in frames where the other views agree. MediaPipe's world
landmarks of the same view are evaluated for comparison.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

import posediff
from posediff.assets import LIFTER_CHECKPOINT, LIFTER_CONFIG
from posediff.cli.arguments import command_parser
from posediff.cli.provenance import provenance
from posediff.detection import MediaPipeDetector
from posediff.detection.base import BaseDetector
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.evaluation.limbs import limbs, score_limbs
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.geometry.calibration import CalibratedCamera, find_camera, read_calibration
from posediff.geometry.triangulation import triangulate
from posediff.integrations.mediapipe import PoseLandmarkNetwork
from posediff.integrations.mediapipe.landmarks import PRESENCE_THRESHOLD
from posediff.integrations.mediapipe.rois import rois_from_boxes
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.pipeline.observing import Observer
from posediff.pipeline.side_swaps import SideSwapRepair
from posediff.pose_estimation.base import BasePoseEstimator
from posediff.registry import POSE_ESTIMATORS, TRACKERS
from posediff.structures.component_choices import component_config
from posediff.structures.frame_poses import FramePoses
from posediff.structures.skeleton_conversion import convert_joints
from posediff.structures.skeletons import MEDIAPIPE33, Skeleton
from posediff.video import VideoSource, open_video


@dataclass
class View:
    """Keypoints of one video.

    Attributes:
        camera: Calibrated camera of the video.
        keypoints: (F, K, 2) px, undistorted; NaN in frames without a person.
        scores: (F, K) in [0, 1].
        world: (F, 33, 3) mm, MediaPipe's world landmarks.
        fps: Frame rate.
        skeleton: Skeleton of the keypoints.
        score_threshold: Keypoints with a lower score are not lifted.
    """

    camera: CalibratedCamera
    keypoints: np.ndarray
    scores: np.ndarray
    world: np.ndarray
    fps: float
    skeleton: Skeleton = MEDIAPIPE33
    score_threshold: float = BasePoseEstimator.score_threshold


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('calibration', type=Path, help='Pose2Sim (.toml) or Qualisys (.xml) file')
    parser.add_argument('videos', nargs='+', metavar='VIDEO', help='videos, in the order of the cameras in the file')
    parser.add_argument(
        '--lifter',
        '--config',
        dest='config',
        default=LIFTER_CONFIG,
        metavar='CONFIG',
        help='config file, or name of a packaged config, of the lifting model; default: the packaged model',
    )
    parser.add_argument(
        '--lifter-checkpoint', '--checkpoint', dest='checkpoint', metavar='FILE', help='weights of --lifter'
    )
    parser.add_argument(
        '--pose',
        default='mediapipe',
        metavar='NAME',
        help='2D pose estimator of the lifted view, as for posediff video; default: %(default)s',
    )
    parser.add_argument('--pose-checkpoint', metavar='FILE', help='weights of --pose')
    parser.add_argument('--pose-options', nargs='+', default=[], metavar='NAME=VALUE', help='options of --pose')
    parser.add_argument(
        '--reference',
        choices=('mediapipe', 'pose'),
        default='mediapipe',
        help="keypoints that are triangulated: MediaPipe's, or those of --pose, converted; default: %(default)s",
    )
    parser.add_argument(
        '--max-error',
        type=float,
        default=25.0,
        metavar='PX',
        help='largest reprojection error of views that agree, px; default: %(default)s',
    )
    parser.add_argument(
        '--max-crop',
        type=int,
        default=0,
        metavar='PX',
        help='accept videos smaller than the calibrated image by up to this many px; default: %(default)s',
    )
    parser.add_argument('--max-frames', type=positive, metavar='N', help='stop after N frames')
    parser.add_argument(
        '--keep-sides', action='store_true', help='do not correct swaps of left and right in the 2D poses'
    )
    parser.add_argument(
        '--score-threshold',
        type=float,
        metavar='SCORE',
        help='do not lift keypoints with a lower score; default: that of --pose, 0.3 for most',
    )
    add_device(parser)
    parser.add_argument('--seed', type=int, default=0, help='seed of the noise; default: %(default)s')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/compare_views'),
        metavar='DIR',
        help='folder for the table; default: %(default)s',
    )
    return parser.parse_args(argv)


def estimate_view(video: VideoSource, camera: CalibratedCamera, args: argparse.Namespace) -> View:
    """Return the landmarks of one view: in each frame, those of the person with the highest detection score."""
    detector, estimator = MediaPipeDetector(), PoseLandmarkNetwork()
    keypoints: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    world: list[np.ndarray] = []
    for frame in tqdm(video, Path(video.name).name, args.max_frames or video.num_frames, unit='frame', disable=None):
        if frame.index == args.max_frames:
            break
        (people,) = detector([frame])
        joints = MEDIAPIPE33.num_joints
        best = np.full((joints, 2), np.nan), np.zeros(joints), np.full((joints, 3), np.nan)
        if len(people):
            rois = rois_from_boxes(people.boxes) if people.rois is None else people.rois
            chosen = int(np.argmax(people.scores))
            poses = estimator(frame.image, rois[chosen : chosen + 1])
            poses = estimator(frame.image, poses.next_rois)
            if poses.presence[0] > PRESENCE_THRESHOLD:
                best = poses.keypoints[0], poses.scores[0], poses.world[0] * 1000
        for values, one in zip((keypoints, scores, world), best, strict=True):
            values.append(one)
    points, sure = camera.undistort(np.stack(keypoints)), np.stack(scores)
    if not args.keep_sides:
        points, sure = repair_sides(points, sure, MEDIAPIPE33, video.fps)
    return View(camera, points, sure, np.stack(world), video.fps)


def with_other_keypoints(
    view: View,
    video: VideoSource,
    estimator: BasePoseEstimator,
    detector: BaseDetector,
    args: argparse.Namespace,
) -> View:
    """Return a view with the keypoints of another estimator, in the boxes with the highest detection score."""
    joints = estimator.skeleton.num_joints
    points, scores = np.full((len(view.keypoints), joints, 2), np.nan), np.zeros((len(view.keypoints), joints))
    tracker = TRACKERS.build(component_config(TRACKERS, '--tracker', 'pose'))
    frames = itertools.islice(video, len(points))
    observer = Observer(detector, estimator, tracker)
    for found in tqdm(observer(frames, video.fps), args.pose, len(points), unit='frame', disable=None):
        if len(found):
            chosen = int(np.argmax(found.box_scores))
            points[found.frame_index] = found.keypoints_2d[chosen]
            scores[found.frame_index] = found.keypoint_scores[chosen]
    points = view.camera.undistort(points)
    if not args.keep_sides:
        points, scores = repair_sides(points, scores, estimator.skeleton, video.fps)
    return replace(
        view,
        keypoints=points,
        scores=scores,
        skeleton=estimator.skeleton,
        score_threshold=estimator.score_threshold,
    )


def converted(view: View, skeleton: Skeleton) -> View:
    """Return a view with keypoints of another skeleton."""
    points, scores, _ = convert_joints(view.keypoints, view.skeleton.name, skeleton.name, view.scores)
    return replace(view, keypoints=points, scores=scores, skeleton=skeleton)


def repair_sides(
    points: np.ndarray, scores: np.ndarray, skeleton: Skeleton, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Correct swaps of left and right in the keypoints of one person, as the video pipeline does.

    Args:
        points: (F, K, 2) px, NaN in frames without a person.
        scores: (F, K) in [0, 1].
        skeleton: Skeleton of the keypoints.
        fps: Frame rate.

    Returns:
        Corrected keypoints and scores.
    """
    found = [
        FramePoses(number, number / fps, np.zeros((1, 4)), np.ones(1), point[None], score[None], np.zeros(1, int))
        for number, (point, score) in enumerate(zip(np.nan_to_num(points), scores, strict=True))
    ]
    out = list(SideSwapRepair(skeleton, fps)(iter(found)))
    repaired = np.stack([one.keypoints_2d[0] for one in out])
    return np.where(np.isnan(points), np.nan, repaired), np.stack([one.keypoint_scores[0] for one in out])


def lift(model: PoseDiffusionEstimator, view: View, seed: int) -> np.ndarray:
    """Lift one view and return its joints, (F, J, 3) mm."""
    seen = converted(view, model.head.skeleton)
    scores = np.where(seen.scores >= seen.score_threshold, seen.scores, 0).astype(np.float32)
    points = np.where(scores[..., None] > 0, seen.keypoints, np.nan).astype(np.float32)
    return posediff.lift_keypoints(
        model,
        points,
        scores,
        skeleton=seen.skeleton.name,
        img_shape=view.camera.camera.img_shape,
        fps=view.fps,
        seed=seed,
    )['joints_3d']


def reference(views: Sequence[View], left_out: int, max_error: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Triangulate the joints of arms and legs from all views but one.

    Args:
        views: All views.
        left_out: Index of the view that is not used.
        max_error: Largest reprojection error of joints that the views agree on, px.

    Returns:
        Joints (F, 12, 3) mm in the camera frame of view ``left_out``; (F, 12) bool, the joints that all other views see
        with a reprojection error of at most ``max_error``; the mean reprojection error of these joints, px.
    """
    others = [view for number, view in enumerate(views) if number != left_out]
    points = np.stack([view.keypoints[:, limbs(view.skeleton)] for view in others])
    weights = np.isfinite(points).all(-1).astype(np.float64)
    found, error = triangulate(points, [view.camera.camera for view in others], weights)
    agreed = (error <= max_error) & (weights.sum(0) == len(others))
    camera = views[left_out].camera.camera
    return found @ camera.R.T + camera.t, agreed, float(error[agreed].mean()) if agreed.any() else float('nan')


def compare(args: argparse.Namespace) -> list[dict[str, float | str]]:
    """Lift and evaluate every view, and return one row of measures for each."""
    names = list(read_calibration(args.calibration))
    if not 3 <= len(args.videos) <= len(names):
        raise ValueError(
            f'{len(args.videos)} videos for the {len(names)} cameras of {args.calibration}: at least 3 are needed'
        )
    own = str(args.config) == str(LIFTER_CONFIG) and args.checkpoint is None
    if not own and args.checkpoint is None:
        raise ValueError(f'--lifter {args.config} needs --lifter-checkpoint')
    model = posediff.init_model(args.config, LIFTER_CHECKPOINT if own else args.checkpoint, args.device)
    sources = [open_video(video) for video in args.videos]
    cameras = [
        find_camera(args.calibration, name, video.img_shape, args.max_crop)
        for name, video in zip(names, sources, strict=False)
    ]
    views = [estimate_view(video, camera, args) for video, camera in zip(sources, cameras, strict=True)]
    if len({len(view.keypoints) for view in views}) > 1:
        raise ValueError(f'the videos have {[len(view.keypoints) for view in views]} frames: are they synchronous?')
    if args.pose == 'mediapipe' and not args.pose_checkpoint and not args.pose_options:
        posed = views
    else:
        config = component_config(
            POSE_ESTIMATORS, '--pose', args.pose, args.pose_checkpoint, args.device, args.pose_options
        )  # fmt: skip
        estimator = POSE_ESTIMATORS.build(config)
        posed = [
            with_other_keypoints(view, video, estimator, MediaPipeDetector(), args)
            for view, video in zip(views, sources, strict=True)
        ]
    seen = views if args.reference == 'mediapipe' else [converted(view, model.head.skeleton) for view in posed]
    if args.score_threshold is not None:
        posed = [replace(view, score_threshold=args.score_threshold) for view in posed]
    rows: list[dict[str, float | str]] = []
    for number, view in enumerate(posed):
        target, agreed, error = reference(seen, number, args.max_error)
        ours = score_limbs(lift(model, view, args.seed)[:, limbs(model.head.skeleton)], target, agreed)
        theirs = score_limbs(view.world[:, limbs(MEDIAPIPE33)], target, agreed)
        row: dict[str, float | str] = {'camera': view.camera.name, 'reprojection error, px': error}
        row['frames'] = ours['frames']
        row |= {f'{name}, mm': ours[name] for name in ('p_mpjpe', 'n_mpjpe')}
        row |= {f'MediaPipe world {name}, mm': theirs[name] for name in ('p_mpjpe', 'n_mpjpe')}
        rows.append(row)
    return rows


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        rows = compare(args)
        header = list(rows[0])
        means: list[float | str] = [
            'mean',
            *(float(np.mean([float(row[name]) for row in rows])) for name in header[1:]),
        ]
        table = markdown_table(header, [*([row[name] for name in header] for row in rows), means], digits=1)
        args.out.mkdir(parents=True, exist_ok=True)
        with atomic_write(args.out / 'compare_views.json') as draft:
            draft.write_text(json.dumps({**provenance(args), 'rows': rows}, indent=1) + '\n')
    print(table)
