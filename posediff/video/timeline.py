"""One time line from the time stamps of a video, whatever breaks them."""

from __future__ import annotations

from dataclasses import dataclass

MAX_PAUSE_S = 10.0  # a picture may stay for so long, in screen recordings for instance; what is longer is a cut
MAX_PAUSE_STEPS = 10  # or for so many pictures, where they are rarer than one a second
RESTART_PICTURES = 3  # in a row with time stamps that are over already, until it is a restart and not a bad stamp


@dataclass(frozen=True)
class Cut:
    """A place where the time stamps of a video jump.

    Attributes:
        time_s: Of the first picture behind it, in seconds since the first picture, without the jump.
        stamps_s: Time stamps of the pictures before and behind it, s.
    """

    time_s: float
    stamps_s: tuple[float, float]


def max_pause(step_s: float) -> float:
    """Longest time in seconds that one picture is shown; behind a longer one the time line has a cut."""
    return max(MAX_PAUSE_S, MAX_PAUSE_STEPS * step_s)


class TimeLine:
    """Times in seconds since the first picture that never go back and have no gap over :func:`max_pause`.

    Pictures come in the order in which they are shown. One without a time stamp, or with one that is over already,
    comes one step after the picture before it. Where the stamps jump ahead by more than a pause, or start again, the
    time line has a cut, and goes on by one step.

    Args:
        step_s: Seconds from one picture to the next, as a rule.

    Attributes:
        cuts: So far.
    """

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self.cuts: list[Cut] = []
        self._time = 0.0
        self._offset: float | None = None  # time stamp at time 0
        self._latest = 0.0  # stamp
        self._over: list[float] = []  # the last stamps, in order, that were over already
        self._over_since = 0.0
        self._is_first = True

    @property
    def num_open(self) -> int:
        """How many of the last pictures may be the begin of a restart, which the next ones tell."""
        return len(self._over)

    def __call__(self, stamp_s: float | None) -> float:
        """Time of the next picture."""
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
