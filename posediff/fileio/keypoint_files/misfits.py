"""Keypoints that do not fit the video that they are used with."""

from __future__ import annotations

from posediff.fileio.keypoint_files.record import KeypointRecord

UNMISTAKABLE = 2
"""A file whose first frame is at more than so many times the announced length of a video is of another one, whatever
headers get wrong."""


def refuse_misfit(record: KeypointRecord, num_frames: int | None) -> None:
    """Refuse keypoints before the work begins, as far as the announced length of a video tells.

    Raises:
        ValueError: They count from 1, in a format that leaves open where it begins, or all are far behind the end.
    """
    if num_frames is None:
        return
    if record.seems_to_count_from_one(num_frames):
        raise ValueError(
            f'{record.path}: {_from_one(num_frames)}; --first-frame 1 says so, --first-frame 0 that they count from 0'
        )
    if record.people and record.times is None and min(record.people) > UNMISTAKABLE * num_frames:
        raise ValueError(f'{record.path}: {behind(record, num_frames)}')


def doubts(record: KeypointRecord) -> list[str]:
    """Sentences on what a file leaves open, and how it is taken."""
    found = []
    if record.may_count_from_one:
        found.append(
            f'{record.path}: its first frame is 1, and its format leaves open where frames begin: it is taken for the '
            'second picture; --first-frame 1 says that it is the first'
        )
    if record.is_sparse:
        frames = ', '.join(str(frame + record.first_frame) for frame in sorted(record.people)[:3])
        found.append(
            f'{record.path}: most of its frames ({frames}, …) have nobody before and behind them: people count from '
            'the first frame that they are found in'
        )
    return found


def behind(record: KeypointRecord, num_frames: int) -> str | None:
    """A sentence on the poses that lie behind a video of so many frames, or None."""
    count, frames = record.behind(num_frames)
    if not count:
        return None
    listed = f'{frames[0]}..' if len(frames) > 1 else str(frames[0])
    text = f'{count} poses at frames {listed} lie behind the last frame ({num_frames - 1 + record.first_frame})'
    if record.seems_to_count_from_one(num_frames):
        return f'{text}; {_from_one(num_frames)}: --first-frame 1 says so'
    return text


def _from_one(num_frames: int) -> str:
    return f'frames go up to {num_frames}, the number of frames, and none is 0, so that they seem to count from 1'
