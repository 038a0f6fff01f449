"""The interface of 2D pose estimators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.people import People
from posediff.structures.skeletons import Skeleton
from posediff.structures.video_frame import VideoFrame


@dataclass(frozen=True)
class FrameWindow:
    """A frame with its neighbouring frames, and the persons in it.

    Attributes:
        frames: 2δ + 1 frames in temporal order with the target frame in the middle; at the ends of a video the first or
            last frame is repeated.
        people: The persons in the target frame.
    """

    frames: tuple[VideoFrame, ...]
    people: People

    @property
    def key(self) -> VideoFrame:
        """The target frame."""
        return self.frames[len(self.frames) // 2]


@dataclass(frozen=True)
class Poses:
    """2D poses of one frame, in the order of its persons.

    Attributes:
        keypoints: (N, K, 2) float32 px, finite.
        scores: (N, K) float32 in [0, 1].
        boxes: (N, 4) float32 px, if the pose estimator's boxes are more accurate than the detector's; else None.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.keypoints)


class BasePoseEstimator(ABC):
    """A pose estimator that predicts the keypoints of persons in given boxes.

    A person's keypoints depend only on the window and the person's box, not on the batch or on other persons.

    Attributes:
        skeleton: Skeleton of the keypoints.
        frames_around: δ, the number of frames used before and after the target frame.
        sees_absence: Whether scores are 0 if a box contains no person, so that boxes without a detection can be tried.
    """

    command_line: ClassVar[tuple[CommandLineChoice, ...]] = ()
    """Words by which a command line names the component."""

    skeleton: Skeleton
    frames_around: int = 0
    sees_absence: bool = False

    @abstractmethod
    def __call__(self, windows: Sequence[FrameWindow]) -> list[Poses]:
        """Estimate the poses of the persons of each window."""

    def where_next(self, people: People, keypoints: np.ndarray) -> People:
        """Return the search boxes in the next frame for persons of the current frame.

        Args:
            people: The persons of the current frame.
            keypoints: (N, K, 2) px, their keypoints.
        """
        return people
