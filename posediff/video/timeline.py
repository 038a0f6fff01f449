"""A continuous time line from the time stamps of a video, even if they jump."""

from __future__ import annotations

from dataclasses import dataclass

MAX_PAUSE_S = 10.0  # maximum duration of a picture, e.g. in screen recordings; longer gaps are cuts
MAX_PAUSE_STEPS = 10  # the same in pictures, for rates below one picture per second
RESTART_PICTURES = 3  # consecutive past time stamps that count as a restart instead of bad stamps


@dataclass(frozen=True)
class Cut:
    """A jump in the time stamps of a video.

    Attributes:
        time_s: Time of the first picture after the cut, in seconds since the first picture, without the jump.
        stamps_s: Time stamps of the pictures before and after the cut, s.
    """

    time_s: float
    stamps_s: tuple[float, float]


def max_pause(step_s: float) -> float:
    """Return the longest duration of one picture, s; a longer gap is a cut."""
    return max(MAX_PAUSE_S, MAX_PAUSE_STEPS * step_s)


class TimeLine:
    """A clock that converts time stamps to times since the first picture, ascending and without jumps.

    Times never decrease and have no gap above :func:`max_pause`.

    Pictures come in presentation order. A picture without a time stamp, or with one that is not later than the latest,
    is placed one step after the previous picture. Where the stamps jump ahead by more than a pause, or restart, there
    is a cut, and the time line continues by one step.

    Args:
        step_s: Usual time between two pictures, s.

    Attributes:
        cuts: The cuts found so far.
    """

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self.cuts: list[Cut] = []
        self._time = 0.0
        self._offset: float | None = None  # time stamp at time 0
        self._latest = 0.0  # latest time stamp
        self._over: list[float] = []  # the last consecutive time stamps in the past, ascending
        self._over_since = 0.0
        self._is_first = True

    @property
    def num_open(self) -> int:
        """Number of the last pictures that may be the start of a restart, which later pictures decide."""
        return len(self._over)

    def __call__(self, stamp_s: float | None) -> float:
        """Return the time of the next picture."""
        if self._is_first or stamp_s is None:
            self._time += 0.0 if self._is_first else self.step_s
            self._is_first = False
            if stamp_s is not None:
                self._offset, self._latest = stamp_s, stamp_s
        elif self._offset is None:
            self._time += self.step_s
            self._offset, self._latest = stamp_s - self._time, stamp_s
        elif stamp_s <= self._latest:
            self._is_over(stamp_s)
        elif stamp_s - self._latest > max_pause(self.step_s):
            self._time += self.step_s
            self._cut(self._time, (self._latest, stamp_s), stamp_s)
        else:
            self._time = max(self._time, stamp_s - self._offset)
            self._latest, self._over = stamp_s, []
        return self._time

    def _is_over(self, stamp: float) -> None:
        self._time += self.step_s
        if not self._over or stamp <= self._over[-1]:
            self._over, self._over_since = [], self._time
        self._over.append(stamp)
        if len(self._over) == RESTART_PICTURES:
            self._cut(self._over_since, (self._latest, self._over[0]), stamp)

    def _cut(self, time: float, stamps: tuple[float, float], now: float) -> None:
        self.cuts.append(Cut(time, stamps))
        self._offset, self._latest, self._over = now - self._time, now, []
