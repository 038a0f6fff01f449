"""Checks and warnings about files of keypoints or boxes, after the run of their video."""

from __future__ import annotations

import argparse

from posediff.detection.boxes_file import BoxesFileDetector
from posediff.detection.keypoints_file import KeypointsFileDetector
from posediff.fileio.keypoint_files.misfits import behind, doubts
from posediff.pipeline import VideoPoseInferencer
from posediff.pipeline.pose_writer import PoseWriter
from posediff.pipeline.sightings import SightingsLog


def file_notes(
    args: argparse.Namespace,
    inferencer: VideoPoseInferencer,
    writer: PoseWriter,
    finished: bool,
    num_pictures: int | None,
    log: SightingsLog | None,
) -> list[str]:
    """Return warnings about the file of keypoints or boxes; track names of the file are added to the results.

    Args:
        args: Arguments of the command.
        inferencer: The pipeline.
        writer: Writer of the results; its files are discarded on an error.
        finished: Whether the end of the video was reached.
        num_pictures: Number of pictures of the video; None if unknown or not all were read.
        log: Log of the 2D poses; removed on an error.

    Raises:
        ValueError: No pose or box of the file is in the video.
    """
    detector = inferencer.components.detector
    try:
        if isinstance(detector, BoxesFileDetector):
            return _box_notes(args, detector, num_pictures)
        if isinstance(detector, KeypointsFileDetector):
            return _keypoint_notes(args, detector, writer, finished, num_pictures)
    except ValueError:
        if log is not None:
            log.remove()
        writer.discard()
        raise
    return []


def _box_notes(args: argparse.Namespace, detector: BoxesFileDetector, num_pictures: int | None) -> list[str]:
    late = detector.behind(num_pictures) if num_pictures and args.max_frames is None else None
    return detector.notes + ([late] if late else [])


def _keypoint_notes(
    args: argparse.Namespace,
    detector: KeypointsFileDetector,
    writer: PoseWriter,
    finished: bool,
    num_pictures: int | None,
) -> list[str]:
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
        raise ValueError(f'{args.keypoints}: ' + '; '.join(note for note in (late, outside) if note))
    return notes + [f'{args.keypoints}: {note}' for note in (late, outside) if note]
