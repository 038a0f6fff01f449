"""A person's track between two long gaps, on its way from keypoints to poses in place."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from posediff.pipeline.root_filter import RootFilter
from posediff.smoothing import SmoothingStream


@dataclass
class SegmentFrame:
    """A frame of a segment: what was observed, None in a gap.

    Attributes:
        frame_index: In the video.
        person: Box, keypoints, scores.
        converted: (J, 2) px in the lifter's skeleton, and weights (J,), 0 where the lifter does not get the joint.
        joint_observed: (J,) bool: the lifter gets the joint, and the camera saw it.
    """

    frame_index: int
    person: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    converted: tuple[np.ndarray, np.ndarray] | None = None
    joint_observed: np.ndarray | None = None


@dataclass
class LiftedFrame:
    """A lifted frame: pose (J, 3) mm, spread (J,) mm, place (3,) mm, NaN until it is known, and whose it is."""

    seen: SegmentFrame
    joints_3d: np.ndarray
    joints_3d_std: np.ndarray
    root: np.ndarray
    root_observed: bool = False


@dataclass
class Segment:
    """A track between two long gaps.

    Attributes:
        key: Track and first frame.
        next_frame: The one after the last that was pushed.
        places: Tells places that cannot be from those that can.
        smoothing: Of joints and places; None: none.
        seen: Pushed and not lifted yet.
        unfiltered: LiftedFrame; whether the place can be is not known yet.
        unplaced: Waiting for the place behind a gap.
        unsmoothed: Waiting for the smoother.
        last_smoothed: Frame that the smoother was given last.
        out: First frame that was not handed out.
    """

    key: tuple[int, int]
    next_frame: int
    root_filter: RootFilter
    smoothing: tuple[SmoothingStream, SmoothingStream] | None
    seen: deque[SegmentFrame] = field(default_factory=deque)
    unfiltered: deque[LiftedFrame] = field(default_factory=deque)
    unplaced: list[LiftedFrame] = field(default_factory=list)
    unsmoothed: deque[LiftedFrame] = field(default_factory=deque)
    last_seen: SegmentFrame | None = None
    last_root: np.ndarray | None = None
    last_smoothed: int | None = None
    next_output: int = 0
    is_closed: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether something that was pushed was not handed out."""
        return bool(self.seen or self.unfiltered or self.unplaced or self.unsmoothed)
