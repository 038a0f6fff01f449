"""Steps of ``posediff video``, from the arguments to the exit code."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from posediff.cli.export_arguments import export_options
from posediff.cli.video.arguments import parse_args
from posediff.cli.video.components import build_inferencer
from posediff.cli.video.output import add_facts, print_report, write_pictures
from posediff.cli.video.running import infer
from posediff.detection.base import ProcessedVideo
from posediff.engine.command_line import one_line_errors
from posediff.export.exporters import checked_formats
from posediff.pipeline import VideoPoseInferencer
from posediff.pipeline.pose_log import PoseLog, refuse_interrupted_run
from posediff.pipeline.pose_writer import PoseWriter
from posediff.video import LiveVideo, VideoSource, open_video

NOTHING_FOUND, INTERRUPTED = 1, 130
"""Exit codes; 2 is that of invalid arguments and input."""


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Process a video and write the results.

    Raises:
        SystemExit: With :data:`INTERRUPTED` after Ctrl-C, with :data:`NOTHING_FOUND` if no person was found, with 2 if
            an argument or the input is invalid.
    """
    args = parse_args(argv, prog)
    with one_line_errors():
        check_folder(args)
        check_options(args)
        video = (LiveVideo if args.live else open_video)(args.video, args.fps, args.capture_fps)
        for note in video.notes:
            sys.stderr.write(f'note: {note}\n')
        inferencer = build_inferencer(args, video)
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
        sys.stderr.write(f'error: no person was found in {video.name}\n')
        raise SystemExit(NOTHING_FOUND)


def check_folder(args: argparse.Namespace) -> None:
    """Check that the folder holds no results of an earlier run, finished or interrupted, unless an option allows it.

    Raises:
        FileExistsError: The folder holds results, and neither ``--overwrite`` nor ``--resume`` is given.
    """
    if args.overwrite or args.resume:
        return
    refuse_interrupted_run(args.out / '.sightings')
    if (args.out / 'poses.npz').exists():
        raise FileExistsError(f'{args.out} holds results: --overwrite replaces them')
    if any((args.out / '.rows').glob('*.npz')):
        raise FileExistsError(f'{args.out} holds rows of an interrupted run: --overwrite removes them')


def check_options(args: argparse.Namespace) -> None:
    """Check options before the video is opened.

    Raises:
        ValueError: An export format is unknown, or two options contradict each other.
    """
    if args.export:
        checked_formats(args.export)
    export_options('--export-options', args.export_options, args.export)
    if args.live and args.fill:
        raise ValueError('--fill needs later frames, which --live does not wait for')
    if args.seen_joints_only and args.fill:
        raise ValueError('--fill writes frames without keypoints: it cannot be combined with --seen-joints-only')


def run(
    args: argparse.Namespace,
    video: VideoSource,
    inferencer: VideoPoseInferencer,
    writer: PoseWriter,
    log: PoseLog | None,
) -> bool:
    """Process the frames, write all files, and return False if the run was stopped by Ctrl-C, else True."""
    started = time.perf_counter()
    finished, video_run = infer(inferencer, video, writer, args.max_frames, log)
    seconds = time.perf_counter() - started
    with one_line_errors():
        ended = finished and not video.is_live
        notes = detector_warnings(args, inferencer, writer, ended, video.num_pictures if ended else None, log)
    add_facts(writer, video, video_run)
    files = list(writer.finish())
    print_report(writer, video, video_run, seconds, notes)
    files += write_pictures(args, writer, video, inferencer.components.score_threshold)
    print('written ' + ', '.join(str(file) for file in files))
    return finished


def detector_warnings(
    args: argparse.Namespace,
    inferencer: VideoPoseInferencer,
    writer: PoseWriter,
    finished: bool,
    num_pictures: int | None,
    log: PoseLog | None,
) -> list[str]:
    """Return the detector's warnings about the processed video; discard the results if the detector raises an error.

    Args:
        args: Arguments of the command.
        inferencer: The pipeline.
        writer: Writer with the results of the processed frames.
        finished: Whether the run was not stopped by Ctrl-C, and the video is not live.
        num_pictures: Number of pictures of the video; None: unknown.
        log: Log with which an interrupted run can be resumed; None: there is none.

    Raises:
        ValueError: No detection lies in the video, so they must belong to another one.
    """
    complete = finished and args.max_frames is None
    processed = ProcessedVideo(writer.num_frames, num_pictures, complete, args.resume)
    try:
        return inferencer.components.detector.warnings(processed)
    except ValueError:
        if log is not None:
            log.remove()
        writer.discard()
        raise


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Exit with one line if the disk is full, read-only or broken; files that were completed before are kept."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO):
            raise
        with one_line_errors():
            raise OSError(f'{folder}: {os.strerror(error.errno)}; --resume continues once there is room') from error
