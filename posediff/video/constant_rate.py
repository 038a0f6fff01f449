"""Resampling of pictures to a constant frame rate."""

from __future__ import annotations


class ConstantRate:
    """Assigns pictures to the ticks of a constant rate, since phones and screen recorders write variable frame rates.

    Args:
        fps: Ticks per second.

    Attributes:
        dropped: Number of pictures whose tick was already taken.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self.next_tick = 0
        self.dropped = 0
        self._start: float | None = None

    def ticks(self, time_s: float | None) -> range:
        """Return all ticks from the next one up to the picture's own; empty if its tick is already taken.

        Args:
            time_s: Presentation time of the picture in the file's time; None if the file states none.
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
