"""Components that read 2D poses from the file of ``--keypoints``."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from posediff.fileio.keypoint_files.clocks import VideoClock, check_clock, is_by_time
from posediff.fileio.keypoint_files.misfits import refuse_misfit
from posediff.fileio.keypoint_files.opening import open_record
from posediff.fileio.keypoint_files.record import KeypointRecord
from posediff.video import VideoSource

Config = dict[str, Any]

FILE_OPTIONS = ('skeleton', 'format', 'coordinates', 'first_frame')
REPLACED_OPTIONS = ('detector', 'detector_checkpoint', 'detector_options', 'pose', 'pose_checkpoint', 'pose_options')


def refuse_file_options(args: argparse.Namespace) -> None:
    """Raise ValueError if an option of keypoint files (:data:`FILE_OPTIONS`) is given without ``--keypoints``."""
    for name in FILE_OPTIONS:
        if getattr(args, name) is not None:
            raise ValueError(f'--{name.replace("_", "-")} {getattr(args, name)} needs --keypoints')


def keypoint_file_configs(
    args: argparse.Namespace, video: VideoSource, tracker: Config
) -> tuple[Config, Config, Config]:
    """Return configs of detector, 2D estimator and tracker that use the poses of a keypoint file.

    Args:
        args: Arguments with ``--keypoints``.
        video: The video that the keypoints belong to.
        tracker: Config of the tracker for files without track ids.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is malformed or does not fit the video, or an option has no effect with it.
    """
    for name in REPLACED_OPTIONS:
        given = getattr(args, name)
        if given:
            text = given if isinstance(given, str) else ' '.join(given)
            raise ValueError(f'--{name.replace("_", "-")} {text} has no use beside --keypoints {args.keypoints}')
    source: dict[str, Any] = {'path': args.keypoints, 'skeleton': args.skeleton, 'img_shape': video.img_shape}
    stated = {name: getattr(args, name) for name in ('format', 'coordinates', 'first_frame')}
    source |= {name: value for name, value in stated.items() if value is not None}
    if video.images is not None:
        source['image_names'] = tuple(path.name for path in video.images)
    source['keep_track_ids'] = args.tracker is None
    record = _open_for_video(args, video, source)
    if record.is_sparse:
        tracker['min_hits'] = 1
    if record.has_track_ids:
        if args.tracker_options:
            raise ValueError(f'--tracker-options has no use beside the track ids of {args.keypoints}: name a --tracker')
        tracker = {'type': 'GivenIdsTracker', **source}
    return {'type': 'KeypointsFileDetector', **source}, {'type': 'KeypointsFileEstimator', **source}, tracker


def _open_for_video(args: argparse.Namespace, video: VideoSource, source: dict[str, Any]) -> KeypointRecord:
    """Open the keypoint file and check that its frames can be those of the video.

    Args:
        args: Arguments of the command.
        video: The video.
        source: Arguments of :func:`open_record`; ``by_time`` is set if frames have to be assigned by time.
    """
    record = open_record(**source)
    length_s = None if video.num_frames is None else video.num_frames / video.fps
    clock = VideoClock(video.fps, video.picture_fps, video.num_pictures, length_s)
    if is_by_time(record, clock):
        source['by_time'] = True
        sys.stderr.write(
            f'note: {args.keypoints}: its time stamps give {record.stamped_fps:.5g} fps, the video has '
            f'{video.picture_fps:.5g} fps: frames are assigned by time\n'
        )
        record = open_record(**source)
    if record.times is not None and args.capture_fps is not None:
        raise ValueError(
            f'--capture-fps {args.capture_fps:g}: the frames of {args.keypoints} are assigned by time, which may be '
            'the time of the recording or of the playback: number its frames by picture instead'
        )
    strange = check_clock(record, clock)
    if strange is not None:
        sys.stderr.write(f'note: {strange}\n')
    if args.max_frames is None and not args.live:
        refuse_misfit(record, video.num_pictures if record.clock == 'picture' else video.num_frames)
    return record
