"""The interface of 2D pose estimators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.frame_poses import FramePoses
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.skeletons import Skeleton
from posediff.structures.video_frame import VideoFrame


@dataclass(frozen=True)
class FrameWindow:
    """A frame with its neighbouring frames, and the persons in it.

    Attributes:
        frames: 2δ + 1 frames in temporal order with the target frame in the middle; at the ends of a video the first or
            last frame is repeated.
        people: Boxes of the persons in the target frame.
    """

    frames: tuple[VideoFrame, ...]
    people: PersonBoxes

    @property
    def key(self) -> VideoFrame:
        """The target frame."""
        return self.frames[len(self.frames) // 2]

    def poses(
        self,
        keypoints_2d: np.ndarray,
        keypoint_scores: np.ndarray,
        boxes: np.ndarray | None = None,
        crops: np.ndarray | None = None,
    ) -> FramePoses:
        """Return the poses of the persons in the target frame.

        Args:
            keypoints_2d: (N, K, 2) float32 px, finite, in the order of :attr:`people`.
            keypoint_scores: (N, K) float32 in [0, 1].
            boxes: (N, 4) float32 px, if the pose estimator's boxes are more accurate than the detector's; else None.
            crops: (N, 4) float32 px, see :class:`FramePoses`; None: unknown.
        """
        return FramePoses(
            self.key.index,
            self.key.time_s,
            self.people.boxes if boxes is None else boxes,
            self.people.scores,
            keypoints_2d,
            keypoint_scores,
            crops=crops,  # type: ignore[arg-type]
            after_cut=self.key.after_cut,
        )


class BasePoseEstimator(ABC):
    """A pose estimator that predicts the keypoints of persons in given boxes.

    A person's keypoints depend only on the window and the person's box (with ``rois`` and ``close`` of
    :class:`PersonBoxes`), not on the batch, on other persons or on earlier calls.

    Attributes:
        skeleton: Skeleton of the keypoints.
        frames_around: δ, the number of frames used before and after the target frame.
        score_threshold: Score below which a keypoint harms the lifter more than a missing one; the pipeline's default.
        sees_absence: Whether :meth:`search` gives all keypoints the score 0 if a box contains no person. If so, the
            pipeline searches persons that the detector lost.
        follows: Whether persons of the previous frame should be searched near their joints, in :meth:`where_next`, also
            if they were detected again. The pipeline then estimates frame by frame.
    """

    command_line: ClassVar[tuple[CommandLineChoice, ...]] = ()
    """Names by which users select the component on the command line; empty: it cannot be selected there."""

    skeleton: Skeleton
    frames_around: int = 0
    score_threshold: float = 0.3
    sees_absence: bool = False
    follows: bool = False

    @abstractmethod
    def __call__(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        """Estimate the poses of the persons of each window, in their order; see :meth:`FrameWindow.poses`."""

    def search(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        """Estimate poses in boxes that no detection supports; the default treats them like those of a detector.

        An estimator that ``sees_absence`` returns the boxes of the joints (:meth:`FrameWindow.poses`), which move with
        the persons.
        """
        return self(windows)

    def where_next(self, people: PersonBoxes, keypoints: np.ndarray) -> PersonBoxes:
        """Return the boxes in which to search for the persons of the current frame in the next frame.

        The default is the boxes of the current frame.

        Args:
            people: The persons of the current frame; ``close`` has the crops of :class:`FramePoses`.
            keypoints: (N, K, 2) px, their keypoints.
        """
        return people

    def without_flip_test(self) -> BasePoseEstimator:
        """Return the estimator without averaging over the mirrored image; itself if it does not average.

        An estimator that averages overrides this, and returns another estimator, which may share its network.

        Raises:
            ValueError: The averaging cannot be switched off.
        """
        if getattr(self, 'flip_test', False):
            raise ValueError(f'{type(self).__name__} has a flip test, but no way to switch it off')
        return self
