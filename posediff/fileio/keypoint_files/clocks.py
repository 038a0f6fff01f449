"""Relate the frames of a keypoint file to those of a video: by frame index or by time."""

from __future__ import annotations

from dataclasses import dataclass

from posediff.fileio.keypoint_files.record import KeypointRecord

SAME_RATE = 0.05
"""Relative difference up to which two rates count as equal: times in files are in whole milliseconds, and headers state
averages."""
SAME_RUN = 1e-3
"""The same for rates stored by this project, which are exact."""
SAME_COUNT = 0.01
"""Relative difference up to which two numbers of pictures count as equal: readers skip damaged pictures."""


@dataclass(frozen=True)
class VideoClock:
    """Timing of a video.

    Attributes:
        fps: Rate at which the video is read.
        picture_fps: Playback rate of its pictures.
        num_pictures: Number of pictures; None: unknown.
        length_s: Length at the rate at which it is read, s; None: unknown.
    """

    fps: float
    picture_fps: float
    num_pictures: int | None = None
    length_s: float | None = None

    def counts(self, frames: int) -> bool:
        """Return whether the number of frames agrees with the number of pictures."""
        known = self.num_pictures
        return known is not None and abs(frames - known) <= max(1, SAME_COUNT * known)


def is_by_time(record: KeypointRecord, video: VideoClock) -> bool:
    """Return whether the frames of a file must be assigned by time, as they do not correspond one-to-one to pictures.

    This needs times in the file. They are used if the number of frames differs from that of the pictures, and either
    the rates differ or the first frame is later than the first picture.
    """
    rate = record.stamped_fps
    if record.stamps is None or rate is None or video.counts(len(record.stamps)):
        return False
    return abs(rate / video.picture_fps - 1) > SAME_RATE or float(record.stamps[0]) > 1.5 / rate


def check_clock(record: KeypointRecord, video: VideoClock) -> str | None:
    """Check that the frames of a keypoint file can be those of a video.

    Returns:
        A warning about an implausible but possible mismatch, or None.

    Raises:
        ValueError: The frames are those of a run at another rate, or their times start after the end of the video.
    """
    rate = record.fps
    if record.clock == 'frame' and rate is not None and abs(rate / video.fps - 1) > SAME_RUN:
        raise ValueError(
            f'{record.path}: its frames are those of a run at {rate:.6g} fps, the video is read at {video.fps:.6g}: '
            f'--fps {rate!r} reads it at that rate'
        )
    if record.times is not None and video.length_s is not None and record.times[0] > video.length_s:
        raise ValueError(
            f'{record.path}: its times begin at {record.times[0]:.3f} s, after the end of the video at '
            f'{video.length_s:.3f} s: they must count from the start of the video'
        )
    other_rate = rate is not None and abs(rate / video.picture_fps - 1) > SAME_RATE
    if record.clock == 'picture' and other_rate and not video.counts(record.last + 1):
        return (
            f'{record.path} states {rate:.5g} fps, the video has {video.picture_fps:.5g} fps: frames are matched to '
            'pictures one by one'
        )
    return None
