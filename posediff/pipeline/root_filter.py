"""Detection of implausible root positions.

The root position of a frame follows from the size of the person in the image. With wrong keypoints, the estimated
position moves away and back within a few frames. Such frames are distinguished from motion by the frames before and
after: the position of a moving person is between the earlier and the later positions.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

REACH_S = 0.6
"""Duration of the two windows, before and after a frame, that the frame is compared with, s. Sequences of implausible
frames are found if they last at most a third of this duration, at the start of a track a sixth."""
LEAST_FRAMES = 3
"""Minimum number of frames in a window."""
DEPTH_STEP = 0.15
"""Minimum deviation in depth, relative to the depth: 1 m for a person at 7 m."""
SIDE_STEP = 800.0
"""Minimum deviation across the line of sight, mm. Persons do not move further than this and back within the windows,
not even in a somersault."""
SPREADS = 4.0
"""Minimum deviation in standard deviations of the neighbouring frames."""


@dataclass
class _Root:
    frame: int
    root: np.ndarray  # (3,) mm, NaN if unknown
    known: bool
    plausible: bool = True


class RootFilter:
    """A filter that decides for each root position of a person whether it is plausible.

    Reference values of a frame are the median of the window before it, the median of the window after it
    (:data:`REACH_S` each), and the extrapolation to the frame of a robust line (Siegel's repeated medians) through the
    earlier window, or through the later one at the start of a track. A position is implausible if a coordinate is
    outside the range of these values by more than :data:`DEPTH_STEP` or :data:`SIDE_STEP` and by more than
    :data:`SPREADS` standard deviations of the neighbouring frames. Implausible positions are not used for later frames.
    A window with less than half of its frames, at the ends of a track, is not used.

    Args:
        fps: Frame rate.
        causal: Decide at once, from earlier frames only. A position that changes permanently is accepted after half of
            :data:`REACH_S`.
    """

    def __init__(self, fps: float, causal: bool = False) -> None:
        self.causal = causal
        self.reach = max(round(REACH_S * fps), LEAST_FRAMES)
        self._places: deque[_Root] = deque()  # decided frames that others are compared with, then undecided ones
        self._judged = 0  # number of decided frames among them

    def push(self, frame: int, root: np.ndarray) -> list[bool]:
        """Add the next frame.

        Args:
            frame: Frame index; must increase.
            root: (3,) mm in the camera frame; NaN if unknown.

        Returns:
            The new decisions, in the order of the frames: whether the position is plausible; False if unknown.
        """
        self._places.append(_Root(frame, root, bool(np.isfinite(root).all() and root[2] > 0)))
        return self._judge(frame if self.causal else frame - self.reach)

    def finish(self) -> list[bool]:
        """Return the decisions on the remaining frames, after the last frame."""
        return self._judge(self._places[-1].frame) if self._places else []

    def _judge(self, last: int) -> list[bool]:
        found = []
        while self._judged < len(self._places) and self._places[self._judged].frame <= last:
            place = self._places[self._judged]
            before = self._places[self._judged - 1] if self._judged else None
            place.plausible = place.known and (_is_near(place, before) or self._is_plausible(place))
            found.append(place.plausible)
            self._judged += 1
            while self._places[0].frame < place.frame - self.reach:
                self._places.popleft()
                self._judged -= 1
        return found

    def _is_plausible(self, place: _Root) -> bool:
        sides = [self._around(place, -self.reach, -1), self._around(place, 1, self.reach)]
        whole = [side for side in sides if len(side) >= max(self.reach // 2, LEAST_FRAMES)]
        if not whole:
            together = [one for side in sides for one in side]
            if len(together) <= LEAST_FRAMES:
                return True
            whole = [together]
        times = [np.array([one.frame for one in side]) for side in whole]
        roots = [np.array([one.root for one in side], np.float64) for side in whole]
        depth = float(np.mean([np.median(side[:, 2]) for side in roots]))
        steps = SIDE_STEP, SIDE_STEP, DEPTH_STEP * depth
        return all(
            _fits(place.frame, float(place.root[axis]), times, [side[:, axis] for side in roots], step)
            for axis, step in enumerate(steps)
        )

    def _around(self, place: _Root, first: int, last: int) -> list[_Root]:
        """Return known plausible positions in the frames ``first`` to ``last`` relative to a frame.

        A causal filter includes implausible ones: otherwise a permanent change would never be accepted.
        """
        return [
            one
            for one in self._places
            if first <= one.frame - place.frame <= last and one.known and (one.plausible or self.causal)
        ]


def _is_near(place: _Root, before: _Root | None) -> bool:
    """Return whether a position is within half of the minimum deviations of the plausible one in the previous frame."""
    if before is None or not (before.known and before.plausible and before.frame == place.frame - 1):
        return False
    moved = np.abs(place.root - before.root)
    return bool(moved[2] < DEPTH_STEP / 2 * before.root[2] and max(moved[0], moved[1]) < SIDE_STEP / 2)


def _fits(frame: int, value: float, times: list[np.ndarray], values: list[np.ndarray], step: float) -> bool:
    """Return whether a coordinate is within the range of the reference values, with tolerance."""
    reached = [float(np.median(side)) for side in values]
    if min(reached) - step <= value <= max(reached) + step:
        return True
    from scipy.stats import siegelslopes  # here: it takes half a second to import

    lines = [siegelslopes(side, time) for side, time in zip(values, times, strict=True)]
    rest = [side - (slope * time + start) for side, time, (slope, start) in zip(values, times, lines, strict=True)]
    spread = min(1.4826 * float(np.median(np.abs(one))) for one in rest)  # the other window may have outliers
    slope, start = lines[0]  # the earlier window if there is one, which is already filtered
    reached.append(float(slope * frame + start))
    allowed = max(step, SPREADS * spread)
    return min(reached) - allowed <= value <= max(reached) + allowed
