"""Find the people in a video, in 2D and 3D: poses.npz, poses.json, viewer.html, overlay.mp4 and scene.mp4 in a folder.

    posediff video VIDEO --out DIR

VIDEO is a file, an address, a camera (camera:0), a photo, or a folder of images (with --fps). Stop with Ctrl-C: what
was done is written.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from posediff.assets import LIFTER_CHECKPOINT, LIFTER_CONFIG
from posediff.cli.arguments import command_parser
from posediff.detection.boxes_file import BoxesFileDetector
from posediff.detection.keypoints_file import KeypointsFileDetector
from posediff.engine.command_line import one_line_errors, positive
from posediff.export.exporters import checked_formats
from posediff.export.track_export import export_tracks
from posediff.fileio.keypoint_files import COORDINATES
from posediff.fileio.keypoint_files.clocks import VideoClock, check_clock, is_by_time
from posediff.fileio.keypoint_files.misfits import behind, doubts, refuse_misfit
from posediff.fileio.keypoint_files.opening import open_record
from posediff.pipeline import VideoPoseInferencer
from posediff.pipeline.live import LiveResults
from posediff.pipeline.pose_writer import PoseWriter
from posediff.pipeline.sightings import SightingsLog, refuse_broken_run
from posediff.pipeline.video_run import VideoRun
from posediff.plugins.entry_points import load_plugins
from posediff.registry import DETECTORS, EXPORTERS, POSE_ESTIMATORS, SMOOTHERS, TRACKERS
from posediff.structures.component_choices import choices_help, command_line_choices, component_config
from posediff.structures.results import FrameResult
from posediff.video import LiveVideo, VideoSource, open_video
from posediff.visualization.saved_results import write_overlay
from posediff.visualization.scene import write_scene
from posediff.visualization.viewer import write_viewer

NOTHING_FOUND, INTERRUPTED = 1, 130
LIVE_HYPOTHESES = 5  # a quarter of what the lifter ships with: 95 ms of a core for a pose instead of 352, 3 mm worse


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    with one_line_errors():
        load_plugins()  # their components are choices too
    parser = command_parser(prog, __doc__)
    parser.add_argument('video')
    parser.add_argument('--out', type=Path, required=True, help='folder for the results')
    parser.add_argument('--overwrite', action='store_true', help='replace the results that are there')
    parser.add_argument(
        '--resume', action='store_true', help='go on with a run that was broken off, the same options given'
    )
    parser.add_argument(
        '--live',
        action='store_true',
        help='keep up with a camera, a stream, or a file at its own speed: leave out frames',
    )
    parser.add_argument(
        '--fps',
        type=float,
        help='read the video at this rate instead of its own: resampled, motion keeps its speed (see --capture-fps)',
    )
    parser.add_argument(
        '--capture-fps',
        type=float,
        metavar='FPS',
        help='rate at which the video was filmed, where it plays at another: slow motion, time lapse',
    )
    parser.add_argument('--max-frames', type=positive, help='stop after so many')
    stages = parser.add_argument_group('stages')
    stages.add_argument('--keypoints', help='file or folder of 2D keypoints, instead of a detector and a 2D estimator')
    stages.add_argument('--skeleton', help='of these keypoints, if the file does not say it')
    stages.add_argument('--format', help='of the file of keypoints; default: recognised')
    stages.add_argument('--coordinates', choices=COORDINATES, help='of the keypoints; default: as the format says, px')
    stages.add_argument('--first-frame', type=int, help='number of the first picture in the file of keypoints')
    stages.add_argument('--detector', help=f'default: mediapipe. {choices_help(DETECTORS)}')
    stages.add_argument('--detector-checkpoint', help='its weights: file, address, or random')
    stages.add_argument(
        '--tracker',
        choices=list(command_line_choices(TRACKERS)),
        help=f"default: the keypoint file's ids, if it has them, or pose. {choices_help(TRACKERS)}",
    )
    stages.add_argument('--pose', help=f'default: mediapipe. {choices_help(POSE_ESTIMATORS)}')
    stages.add_argument('--pose-checkpoint', help='its weights: file, address, or random')
    stages.add_argument(
        '--lifter', default=LIFTER_CONFIG, help='config of a lifting model: a file, or the name of a packaged config'
    )
    stages.add_argument('--lifter-checkpoint', help='its weights: file, or random')
    stages.add_argument(
        '--smooth',
        choices=list(command_line_choices(SMOOTHERS)),
        help=f'filter joints over time; default: none. {choices_help(SMOOTHERS)}',
    )
    options = parser.add_argument_group('options')
    options.add_argument(
        '--num-hypotheses', type=positive, help="poses that are drawn; default: the lifter's, 5 with --live"
    )
    options.add_argument('--num-inference-steps', type=positive, help="denoiser rounds; default: the lifter's")
    options.add_argument('--score-threshold', type=float, default=0.3, help='keypoints scored below are not seen')
    options.add_argument('--min-pose-score', type=float, default=0.3, help='poses scored below on average are nobody')
    options.add_argument('--max-gap', type=float, default=0.5, metavar='S', help='longest gap to lift across, seconds')
    options.add_argument('--fill', action='store_true', help='write poses in such gaps too, marked')
    options.add_argument(
        '--seen-joints-only', action='store_true', help='leave joints that the camera did not see NaN in every file'
    )
    options.add_argument('--keep-sides', action='store_true', help='leave left and right as the 2D estimator says')
    options.add_argument('--focal', type=float, help='focal length, px; default: assumed')
    options.add_argument('--calibration', type=Path, help='.toml of Pose2Sim, or XML of Qualisys, instead of --focal')
    options.add_argument('--camera', help='which of its cameras filmed the video; may be left out if it has one')
    options.add_argument('--max-crop', type=int, default=0, help='px that may be cut off the calibrated pictures')
    options.add_argument('--height', type=float, metavar='M', help='how tall everybody is; default: as the lifter says')
    formats = ','.join(sorted(EXPORTERS.module_dict))
    options.add_argument('--export', default='', metavar='FORMATS', help=f'{formats}: one file for each person')
    options.add_argument('--no-overlay', action='store_true', help='skip overlay.mp4')
    options.add_argument('--no-scene', action='store_true', help='skip scene.mp4, the video beside its people in 3D')
    options.add_argument('--batch-size', type=positive, default=8)
    options.add_argument('--seed', type=int, default=0)
    options.add_argument('--device', default='cpu')
    return parser.parse_args(argv)


def check_folder(args: argparse.Namespace) -> None:
    """Refuse to replace results of an earlier run, complete or not, unless an option says so."""
    if args.overwrite or args.resume:
        return
    refuse_broken_run(args.out / '.sightings')
    if (args.out / 'poses.npz').exists():
        raise FileExistsError(f'{args.out} holds results: --overwrite replaces them')
    if any((args.out / '.rows').glob('*.npz')):
        raise FileExistsError(f'{args.out} holds rows of a run that was broken off: --overwrite removes them')


def people_configs(args: argparse.Namespace, video: VideoSource) -> tuple[dict[str, Any], ...]:
    """Configs of detector, 2D estimator and tracker."""
    tracker = component_config(TRACKERS, '--tracker', args.tracker or 'pose')
    if args.keypoints is None:
        for name in ('skeleton', 'format', 'coordinates', 'first_frame'):
            if getattr(args, name) is not None:
                flag = name.replace('_', '-')
                raise ValueError(f'--{flag} {getattr(args, name)} needs the --keypoints that it is of')
        detector = component_config(
            DETECTORS, '--detector', args.detector or 'mediapipe', args.detector_checkpoint, args.device
        )
        if detector['type'] == 'BoxesFileDetector' and video.images is not None:
            detector['image_names'] = tuple(path.name for path in video.images)
        return (
            detector,
            component_config(POSE_ESTIMATORS, '--pose', args.pose or 'mediapipe', args.pose_checkpoint, args.device),
            tracker,
        )
    for name in ('detector', 'detector_checkpoint', 'pose', 'pose_checkpoint'):
        if getattr(args, name) is not None:
            flag = name.replace('_', '-')
            raise ValueError(f'--{flag} {getattr(args, name)} has no use beside --keypoints {args.keypoints}')
    given = {name: getattr(args, name) for name in ('format', 'coordinates', 'first_frame')}
    source: dict[str, Any] = {'path': args.keypoints, 'skeleton': args.skeleton, 'img_shape': video.img_shape}
    source |= {name: value for name, value in given.items() if value is not None}
    if video.images is not None:
        source['image_names'] = tuple(path.name for path in video.images)
    source['keep_track_ids'] = args.tracker is None
    record = open_record(**source)
    length_s = None if video.num_frames is None else video.num_frames / video.fps
    clock = VideoClock(video.fps, video.picture_fps, video.num_pictures, length_s)
    if is_by_time(record, clock):
        source['by_time'] = True
        sys.stderr.write(
            f'note: {args.keypoints}: its times say {record.stamped_fps:.5g} frames a second, the video has '
            f'{video.picture_fps:.5g} pictures: frames are placed by their times\n'
        )
        record = open_record(**source)
    if record.times is not None and args.capture_fps is not None:
        raise ValueError(
            f'--capture-fps {args.capture_fps:g}: the frames of {args.keypoints} are placed by times, which may be '
            'those of the motion or those of the film: number its frames by picture'
        )
    strange = check_clock(record, clock)
    if strange is not None:
        sys.stderr.write(f'note: {strange}\n')
    if args.max_frames is None and not args.live:
        refuse_misfit(record, video.num_pictures if record.clock == 'picture' else video.num_frames)
    if record.is_sparse:
        tracker['min_hits'] = 1
    if record.has_track_ids:
        tracker = {'type': 'GivenIdsTracker', **source}
    return {'type': 'KeypointsFileDetector', **source}, {'type': 'KeypointsFileEstimator', **source}, tracker


def build(args: argparse.Namespace, video: VideoSource) -> VideoPoseInferencer:
    own = str(args.lifter) == str(LIFTER_CONFIG)
    if not own and args.lifter_checkpoint is None:
        raise ValueError(f"--lifter {args.lifter} needs --lifter-checkpoint (or 'random')")
    detector, estimator, tracker = people_configs(args, video)
    if args.camera is not None and args.calibration is None:
        raise ValueError(f'--camera {args.camera} needs a --calibration')
    return VideoPoseInferencer(
        detector=detector,
        pose_estimator=estimator,
        tracker=tracker,
        lifter=(args.lifter, args.lifter_checkpoint or LIFTER_CHECKPOINT),
        smoother=None if args.smooth is None else component_config(SMOOTHERS, '--smooth', args.smooth),
        num_hypotheses=args.num_hypotheses or (LIVE_HYPOTHESES if args.live else None),
        num_inference_steps=args.num_inference_steps,
        score_threshold=args.score_threshold,
        min_pose_score=args.min_pose_score,
        max_gap_s=args.max_gap,
        fill=args.fill,
        repair_sides=not args.keep_sides,
        focal=args.focal,
        max_crop=args.max_crop,
        calibration=None if args.calibration is None else (args.calibration, args.camera),
        causal=args.live,
        batch_size=args.batch_size,
        seed=args.seed,
        device=args.device,
    )


def infer(
    inferencer: VideoPoseInferencer,
    video: VideoSource,
    writer: PoseWriter,
    max_frames: int | None,
    log: SightingsLog | None,
) -> tuple[bool, VideoRun]:
    """Run over the video; whether it came to its end, and what was done on the way."""
    expected = video.num_frames if max_frames is None else min(max_frames, video.num_frames or max_frames)
    with StopRequest() as request:
        run = inferencer(video, max_frames, request, log)
        results: Iterable[FrameResult] = run
        if isinstance(video, LiveVideo):
            results, expected = LiveResults(results), None
        bar = tqdm(results, 'people', expected, unit='frame', disable=None)
        for result in bar:
            writer.add(result)
            if isinstance(video, LiveVideo):
                bar.set_postfix(left_out=video.left_out, refresh=False)
    if isinstance(video, LiveVideo) and isinstance(results, LiveResults):
        writer.header = replace(writer.header, fps=results.fps or video.fps)
        writer.header.facts['live'] = {'video_fps': video.fps, 'frames_left_out': video.left_out}
    if request():
        sys.stderr.write(f'\nstopped after {writer.num_frames} frames; --resume goes on\n')
    return not request(), run


class StopRequest:
    """Ctrl-C asks to stop: what was seen so far is lifted and written. A second one interrupts at once."""

    def __init__(self) -> None:
        self.is_made = False

    def __call__(self) -> bool:
        return self.is_made

    def __enter__(self) -> StopRequest:
        self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _take(self, *_: object) -> None:
        if self.is_made:
            raise KeyboardInterrupt
        self.is_made = True


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        check_folder(args)
        if args.export:
            checked_formats(args.export)
        if args.live and args.fill:
            raise ValueError('--live waits for nothing: gaps cannot be filled (--fill)')
        if args.seen_joints_only and args.fill:
            raise ValueError('--fill writes frames without keypoints: it cannot be combined with --seen-joints-only')
        video = (LiveVideo if args.live else open_video)(args.video, args.fps, args.capture_fps)
        for note in video.notes:
            sys.stderr.write(f'note: {note}\n')
        inferencer = build(args, video)
        if args.resume and video.is_live:
            raise ValueError(f'--resume: {video.name} cannot be read again')
        log = None if video.is_live else inferencer.log(args.out / '.sightings', video, args.resume, args.overwrite)
        if log is not None and log.problem is not None:
            sys.stderr.write(f'warning: {log.problem}\n')
        writer = PoseWriter(args.out, inferencer.header(video), args.height, args.seen_joints_only)
    with disk_errors(args.out):
        finished = run(args, video, inferencer, writer, log)
    if not finished:
        raise SystemExit(INTERRUPTED)
    if log is not None:
        log.remove()
    if not writer.num_rows:
        sys.stderr.write(f'error: nobody was found in {video.name}\n')
        raise SystemExit(NOTHING_FOUND)


def run(
    args: argparse.Namespace,
    video: VideoSource,
    inferencer: VideoPoseInferencer,
    writer: PoseWriter,
    log: SightingsLog | None,
) -> bool:
    """From the frames to the files; whether the video came to its end."""
    started = time.perf_counter()
    finished, way = infer(inferencer, video, writer, args.max_frames, log)
    seconds = time.perf_counter() - started
    with one_line_errors():
        ended = finished and not video.is_live
        notes = keypoint_notes(args, inferencer, writer, ended, video.num_pictures if ended else None, log)
    swapped = writer.header.facts['sides_put_right'] = way.sides_put_right
    if video.cuts:
        writer.header.facts['cuts'] = {
            'frame_index': [round(cut.time_s * video.fps) for cut in video.cuts],
            'time_stamps_s': [list(cut.stamps_s) for cut in video.cuts],
        }
    unplaced = writer.header.facts['places_from_neighbours'] = writer.num_unplaced
    files = list(writer.finish())
    print(f'{video.name}: {writer.num_frames} frames in {seconds:.1f} s ({writer.num_frames / seconds:.1f} a second)')
    if swapped:
        print(f'left and right were put right {swapped} times (--keep-sides leaves them)')
    if unplaced:
        print(f'{unplaced} places of people are taken from the frames around (root_observed says which)')
    for problem in (video.problem, *notes):
        if problem is not None:
            print(f'warning: {problem}', file=sys.stderr)
    files.append(write_viewer(args.out))
    if writer.num_rows:
        if not args.no_overlay and not video.is_live:
            files.append(write_overlay(args.out, video, args.score_threshold))
        if not args.no_scene and not video.is_live:
            files.append(write_scene(args.out, video, args.score_threshold))
        if args.export:
            with one_line_errors():
                files += export_tracks(args.out, args.export)
    print('written ' + ', '.join(str(file) for file in files))
    return finished


def keypoint_notes(
    args: argparse.Namespace,
    inferencer: VideoPoseInferencer,
    writer: PoseWriter,
    finished: bool,
    num_pictures: int | None,
    log: SightingsLog | None,
) -> list[str]:
    """What the user should know of a file of keypoints or boxes at a video's end; who is who goes into the files.

    Raises:
        ValueError: No pose or box of the file is in the video.
    """
    detector = inferencer.components.detector
    if isinstance(detector, BoxesFileDetector):
        try:
            late = detector.behind(num_pictures) if num_pictures and args.max_frames is None else None
        except ValueError:
            if log is not None:
                log.remove()
            writer.discard()
            raise
        return detector.notes + ([late] if late else [])
    if not isinstance(detector, KeypointsFileDetector):
        return []
    record, notes = detector.record, [*detector.record.notes, *doubts(detector.record)]
    if record.track_names:
        writer.header.facts['track_names'] = {str(number): name for number, name in record.track_names.items()}
        notes.append('track ids are ' + ', '.join(f'{number}: {name}' for number, name in record.track_names.items()))
    num_frames = max(detector.num_pictures, num_pictures or 0) if record.clock == 'picture' else writer.num_frames
    late = behind(record, num_frames) if finished and args.max_frames is None and num_frames else None
    outside = None
    if detector.num_outside:
        outside = f'{detector.num_outside} of {detector.num_looked_up} poses lie outside the picture'
    none_inside = late is not None and record.behind(num_frames)[0] == record.num_poses
    if none_inside or (outside and detector.num_outside == detector.num_looked_up and not args.resume):
        if log is not None:
            log.remove()
        writer.discard()
        raise ValueError(f'{args.keypoints}: ' + '; '.join(note for note in (late, outside) if note))
    return notes + [f'{args.keypoints}: {note}' for note in (late, outside) if note]


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """One line where the folder takes no more; results that were complete by then stay, and so does what was seen."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO):
            raise
        with one_line_errors():
            raise OSError(f'{folder}: {os.strerror(error.errno)}; --resume goes on when there is room') from error
