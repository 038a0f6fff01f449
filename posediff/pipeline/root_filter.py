"""Places that cannot be: a person who is 7 m away is not 12 m away for one frame.

Where a person stands follows, frame by frame, from how large the keypoints are. One frame of wrong keypoints puts the
person somewhere else and back. Such frames are told from motion by the frames before and after: a person who moves,
however fast, is between where they were and where they will be.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.stats import siegelslopes

REACH_S = 0.6
"""Seconds before and after a frame that it is compared with. Wrong frames in a row are found that last a third
as long, at the beginning of a track a sixth."""
LEAST_FRAMES = 3
DEPTH_STEP = 0.15
"""Part of the depth: who is 7 m away has to be 1 m out of the way to be suspected."""
SIDE_STEP = 800.0
"""mm across the line of sight; a person does not move further and back in that time, not in a somersault either."""
SPREADS = 4.0
"""Standard deviations of the frames around that a frame may be off."""


@dataclass
class _Root:
    frame: int
    root: np.ndarray  # (3,) mm, NaN where not known
    known: bool
    plausible: bool = True


class RootFilter:
    """Judge the places of one person, frame by frame.

    Half a second (:data:`REACH_S`) before and after a frame are each summed up by a median, and those before by where a
    robust line through them (Siegel's repeated medians) leads at the frame; at the beginning, those after. A frame
    counts as off where it lies outside all of these and what is between them, by more than :data:`DEPTH_STEP` or
    :data:`SIDE_STEP` and more than the frames around vary themselves. Frames that are off count for nothing when the
    next are judged. A side with fewer than half of its frames, at the ends of a track, does not count.

    Args:
        fps: Of the video.
        causal: Judge at once, from the past alone. A place that differs from then on is believed when it has lasted
            half of :data:`REACH_S`.
    """

    def __init__(self, fps: float, causal: bool = False) -> None:
        self.causal = causal
        self.reach = max(round(REACH_S * fps), LEAST_FRAMES)
        self._places: deque[_Root] = deque()  # judged ones that others are compared with, then those to be judged
        self._judged = 0  # of these, how many were

    def push(self, frame: int, root: np.ndarray) -> list[bool]:
        """Take the next frame.

        Args:
            frame: Its number, which grows.
            root: (3,) mm in the camera frame; NaN where it is not known.

        Returns:
            Of frames that were not judged before and are now, in order: whether the place can be. One that is not known
            cannot.
        """
        self._places.append(_Root(frame, root, bool(np.isfinite(root).all() and root[2] > 0)))
        return self._judge(frame if self.causal else frame - self.reach)

    def finish(self) -> list[bool]:
        """No frame will follow: judge what is left."""
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
        """Known places that can be, of frames ``first`` to ``last`` after one.

        A causal filter takes what cannot be, too: else a place that differs from then on would never be believed.
        """
        return [
            one
            for one in self._places
            if first <= one.frame - place.frame <= last and one.known and (one.plausible or self.causal)
        ]


def _is_near(place: _Root, before: _Root | None) -> bool:
    """Whether a place is near that of the frame before, which can be: by half of what would be suspected."""
    if before is None or not (before.known and before.plausible and before.frame == place.frame - 1):
        return False
    moved = np.abs(place.root - before.root)
    return bool(moved[2] < DEPTH_STEP / 2 * before.root[2] and max(moved[0], moved[1]) < SIDE_STEP / 2)


def _fits(frame: int, value: float, times: list[np.ndarray], values: list[np.ndarray], step: float) -> bool:
    """Whether a value lies between those of the sides, or near enough."""
    reached = [float(np.median(side)) for side in values]
    if min(reached) - step <= value <= max(reached) + step:
        return True
    lines = [siegelslopes(side, time) for side, time in zip(values, times, strict=True)]
    rest = [side - (slope * time + start) for side, time, (slope, start) in zip(values, times, lines, strict=True)]
    spread = min(1.4826 * float(np.median(np.abs(one))) for one in rest)  # the other side may hold wrong frames
    slope, start = lines[0]  # of the past where there is one: it was judged already
    reached.append(float(slope * frame + start))
    allowed = max(step, SPREADS * spread)
    return min(reached) - allowed <= value <= max(reached) + allowed
