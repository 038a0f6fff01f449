"""Segments: the parts of a track between gaps longer than ``max_gap_s``, with their frames in each stage."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from posediff.pipeline.root_filter import RootFilter
from posediff.smoothing import SmoothingStream


@dataclass
class SegmentFrame:
    """The 2D input of one frame of a segment; fields are None in a gap.

    Attributes:
        frame_index: Frame index in the video.
        person: Box (4,), keypoints (K, 2) px and their scores (K,).
        converted: Keypoints (J, 2) px in the lifter's skeleton and weights (J,), 0 for joints that are not inputs of
            the lifter.
        joint_observed: (J,) bool, whether the joint is an input of the lifter and inside the image.
    """

    frame_index: int
    person: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    converted: tuple[np.ndarray, np.ndarray] | None = None
    joint_observed: np.ndarray | None = None


@dataclass
class LiftedFrame:
    """The 3D pose of one frame of a segment.

    Attributes:
        seen: The 2D input.
        joints_3d: (J, 3) mm, relative to the root joint.
        joints_3d_std: (J,) mm, spread of the hypotheses.
        joints_3d_radius_90: (J,) mm, radius that holds 90 % of the hypotheses.
        root: (3,) mm, root position in the camera frame; NaN if unknown.
        root_observed: Whether the root position follows from this frame and is plausible.
    """

    seen: SegmentFrame
    joints_3d: np.ndarray
    joints_3d_std: np.ndarray
    joints_3d_radius_90: np.ndarray
    root: np.ndarray
    root_observed: bool = False


@dataclass
class Segment:
    """The part of a track between two gaps longer than ``max_gap_s``, and its frames in each stage of processing.

    Attributes:
        key: Track id and index of the first frame.
        next_frame: Index after the last frame passed to the lifter.
        root_filter: Filter of implausible root positions.
        smoothing: Smoothing streams of joints and root positions; None: no smoothing.
        seen: Frames passed to the lifter that are not lifted yet.
        unfiltered: Lifted frames whose root position is not filtered yet.
        unplaced: Filtered frames without a root position, which wait for the next plausible one.
        unsmoothed: Frames passed to the smoother that it has not returned yet.
        last_seen: The last frame in which the person was detected.
        last_root: The last plausible root position.
        last_smoothed: Index of the last frame passed to the smoother.
        next_output: Index of the first frame without output.
        is_closed: Whether the segment has ended.
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
        """Whether frames passed to the lifter have no output yet."""
        return bool(self.seen or self.unfiltered or self.unplaced or self.unsmoothed)
