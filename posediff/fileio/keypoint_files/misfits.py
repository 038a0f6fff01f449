"""Detect keypoint files that do not fit their video."""

from __future__ import annotations

from posediff.fileio.keypoint_files.record import KeypointRecord

UNMISTAKABLE = 2
"""A file whose first frame exceeds this multiple of a video's stated length belongs to another video, even if the
header is inaccurate."""


def refuse_misfit(record: KeypointRecord, num_frames: int | None) -> None:
    """Reject keypoints that do not fit the stated length of a video, before processing starts.

    Raises:
        ValueError: Frames count from 1 in a format that does not define the first index, or all are far after the end.
    """
    if num_frames is None:
        return
    if record.seems_to_count_from_one(num_frames):
        raise ValueError(
            f'{record.path}: {_from_one(num_frames)}; use --first-frame 1 if so, --first-frame 0 if they count from 0'
        )
    if record.people and record.times is None and min(record.people) > UNMISTAKABLE * num_frames:
        raise ValueError(f'{record.path}: {behind(record, num_frames)}')


def doubts(record: KeypointRecord) -> list[str]:
    """Return sentences, for the user, about ambiguities of a file and how they are resolved."""
    found = []
    if record.may_count_from_one:
        found.append(
            f'{record.path}: its first frame is 1, and its format does not define the first index: this is read as the '
            'second picture; --first-frame 1 reads it as the first'
        )
    if record.is_sparse:
        frames = ', '.join(str(frame + record.first_frame) for frame in sorted(record.people)[:3])
        found.append(
            f'{record.path}: most of its frames ({frames}, …) have no person in the frames before and after: tracks '
            'start with the first frame that a person is found in'
        )
    return found


def behind(record: KeypointRecord, num_frames: int) -> str | None:
    """Return a sentence about the poses after the end of a video with ``num_frames`` frames, or None."""
    count, frames = record.behind(num_frames)
    if not count:
        return None
    listed = f'{frames[0]}..' if len(frames) > 1 else str(frames[0])
    text = f'{count} poses at frames {listed} lie after the last frame ({num_frames - 1 + record.first_frame})'
    if record.seems_to_count_from_one(num_frames):
        return f'{text}; {_from_one(num_frames)}: use --first-frame 1 if so'
    return text


def _from_one(num_frames: int) -> str:
    return f'frames go up to {num_frames}, the number of frames, and none is 0, so that they seem to count from 1'
