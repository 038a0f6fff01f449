"""What every 2D estimator promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from posediff.structures.people import People
from posediff.structures.skeletons import Skeleton
from posediff.structures.video_frame import VideoFrame


@dataclass(frozen=True)
class FrameWindow:
    """A frame with those around it, and who is in it.

    Attributes:
        frames: 2δ + 1 frames in temporal order, the one that is meant in the middle; at the ends of a video the first
            or last is repeated.
        people: Of the middle frame.
    """

    frames: tuple[VideoFrame, ...]
    people: People

    @property
    def key(self) -> VideoFrame:
        """The frame that is meant."""
        return self.frames[len(self.frames) // 2]


@dataclass(frozen=True)
class Poses:
    """2D poses of one frame, in the order of its people.

    Attributes:
        keypoints: (N, K, 2) float32 px, finite.
        scores: (N, K) float32 in [0, 1].
        boxes: (N, 4) float32 px, where the estimator knows better than the detector; else None.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.keypoints)


class BasePoseEstimator(ABC):
    """Finds the keypoints of people whose boxes are known.

    A person's keypoints depend on the window and the person's box alone: not on the batch, nor on who else is there.

    Attributes:
        skeleton: Of the keypoints.
        frames_around: δ, frames before and after that it looks at.
        sees_absence: Scores are 0 where nobody is in a box, so that any box may be tried.
    """

    skeleton: Skeleton
    frames_around: int = 0
    sees_absence: bool = False

    @abstractmethod
    def __call__(self, windows: Sequence[FrameWindow]) -> list[Poses]:
        """Estimate the poses of the people of each window."""

    def where_next(self, people: People, keypoints: np.ndarray) -> People:
        """Where to look for people in the frame after one in which they were seen.

        Args:
            people: As they were seen.
            keypoints: (N, K, 2) px, theirs.
        """
        return people

    @classmethod
    @abstractmethod
    def contract_cases(cls) -> list[dict[str, Any]]:
        """Arguments to build instances with for the contract tests."""
