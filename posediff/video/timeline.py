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
        self._past: list[float] = []  # time stamps, ascending, of the latest pictures if they are all before _latest
        self._past_since = 0.0  # time of the first of these pictures
        self._is_first = True

    @property
    def num_open(self) -> int:
        """Number of the latest pictures that a restart of the time stamps may begin with; later pictures decide it."""
        return len(self._past)

    def __call__(self, stamp_s: float | None) -> float:
        """Return the time of the next picture, in seconds since the first.

        Args:
            stamp_s: Time stamp of the picture, s; None if it has none.
        """
        if self._is_first or stamp_s is None:
            self._time += 0.0 if self._is_first else self.step_s
            self._is_first = False
            if stamp_s is not None:
                self._offset, self._latest = stamp_s, stamp_s
        elif self._offset is None:
            self._time += self.step_s
            self._offset, self._latest = stamp_s - self._time, stamp_s
        elif stamp_s <= self._latest:
            self._take_past_stamp(stamp_s)
        elif stamp_s - self._latest > max_pause(self.step_s):
            self._time += self.step_s
            self._cut(self._time, (self._latest, stamp_s), stamp_s)
        else:
            self._time = max(self._time, stamp_s - self._offset)
            self._latest, self._past = stamp_s, []
        return self._time

    def _take_past_stamp(self, stamp: float) -> None:
        """Advance by one step for a stamp that is not after the latest; the third ascending one in a row is a cut."""
        self._time += self.step_s
        if not self._past or stamp <= self._past[-1]:
            self._past, self._past_since = [], self._time
        self._past.append(stamp)
        if len(self._past) == RESTART_PICTURES:
            self._cut(self._past_since, (self._latest, self._past[0]), stamp)

    def _cut(self, time: float, stamps: tuple[float, float], now: float) -> None:
        self.cuts.append(Cut(time, stamps))
        self._offset, self._latest, self._past = now - self._time, now, []
