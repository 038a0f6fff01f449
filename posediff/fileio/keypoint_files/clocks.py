"""Whether the frames of a keypoint file are those of a video: counted alike, or placed by their times."""

from __future__ import annotations

from dataclasses import dataclass

from posediff.fileio.keypoint_files.record import KeypointRecord

SAME_RATE = 0.05
"""Rates that differ by less are one: times in files are whole milliseconds, headers give averages."""
SAME_RUN = 1e-3
"""The same of two runs of this project, whose files have the rate in full."""
SAME_COUNT = 0.01
"""Part of the pictures by which numbers of frames may differ: readers leave damaged pictures out."""


@dataclass(frozen=True)
class VideoClock:
    """What a video tells about its time.

    Attributes:
        fps: Rate at which it is read.
        picture_fps: Its pictures a second, as it plays.
        num_pictures: How many it has; None: not known.
        length_s: How long it is read, s; None: not known.
    """

    fps: float
    picture_fps: float
    num_pictures: int | None = None
    length_s: float | None = None

    def counts(self, frames: int) -> bool:
        """Whether it has so many pictures."""
        known = self.num_pictures
        return known is not None and abs(frames - known) <= max(1, SAME_COUNT * known)


def is_by_time(record: KeypointRecord, video: VideoClock) -> bool:
    """Whether frames have to be placed by their times, since they are not the pictures of the video one by one."""
    rate = record.stamped_fps
    if record.stamps is None or rate is None or video.counts(len(record.stamps)):
        return False
    return abs(rate / video.picture_fps - 1) > SAME_RATE or float(record.stamps[0]) > 1.5 / rate


def check_clock(record: KeypointRecord, video: VideoClock) -> str | None:
    """Refuse keypoints whose frames cannot be those of a video.

    Returns:
        What is strange and possible, in words, or None.

    Raises:
        ValueError: The frames are those of a run at another rate, or their times begin behind the end of the video.
    """
    rate = record.fps
    if record.clock == 'frame' and rate is not None and abs(rate / video.fps - 1) > SAME_RUN:
        raise ValueError(
            f'{record.path}: its frames are those of a run at {rate:.6g} fps, the video is read at {video.fps:.6g}: '
            f'--fps {rate!r} reads it as then'
        )
    if record.times is not None and video.length_s is not None and record.times[0] > video.length_s:
        raise ValueError(
            f'{record.path}: its times begin at {record.times[0]:.3f} s, behind the end of the video at '
            f'{video.length_s:.3f} s: they have to count from the beginning of the video'
        )
    other_rate = rate is not None and abs(rate / video.picture_fps - 1) > SAME_RATE
    if record.clock == 'picture' and other_rate and not video.counts(record.last + 1):
        return (
            f'{record.path} says {rate:.5g} frames a second, the video has {video.picture_fps:.5g} pictures: its '
            'frames are taken for these pictures one by one'
        )
    return None
