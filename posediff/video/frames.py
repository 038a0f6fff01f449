"""Frames of a video and the clock they are read by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class VideoFrame:
    """One frame.

    Attributes:
        index: Of the frame at the source's constant rate, from 0.
        time_s: Seconds since the first frame, index / fps.
        image: (H, W, 3) uint8, red first, upright.
        repeated: The file has no picture for this moment: it is the one before.
        picture: Which picture of the source is shown, counted from 0 as they are decoded; None: as ``index``. Readers
            that number decoded pictures (OpenCV's, most pose estimators') mean this number.
        after_cut: The time stamps of the source jump before this picture, or start again: the clock goes on by one
            tick, but time is missing, and people may be elsewhere.
    """

    index: int
    time_s: float
    image: np.ndarray
    repeated: bool = False
    picture: int = None  # type: ignore[assignment]
    after_cut: bool = False

    def __post_init__(self) -> None:
        if self.picture is None:
            object.__setattr__(self, 'picture', self.index)


class ConstantRate:
    """Assign pictures to the ticks of a constant rate; what phones and screen recorders write seldom keeps one.

    Args:
        fps: Ticks a second.

    Attributes:
        dropped: Pictures that came for a tick that had one.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self.next_tick = 0
        self.dropped = 0
        self._start: float | None = None

    def ticks(self, time_s: float | None) -> range:
        """Ticks up to a picture's own, which is the last; empty where its tick is taken.

        Args:
            time_s: When the picture is shown, in the file's time; None where the file does not say.
        """
        if time_s is None:
            tick = self.next_tick
        else:
            self._start = time_s - self.next_tick / self.fps if self._start is None else self._start
            tick = round((time_s - self._start) * self.fps)
        if tick < self.next_tick:
            self.dropped += 1
            return range(0)
        found = range(self.next_tick, tick + 1)
        self.next_tick = tick + 1
        return found
