"""The clock that frames of a video are read by."""

from __future__ import annotations


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
