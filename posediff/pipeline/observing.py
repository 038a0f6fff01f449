"""The 2D stages of the pipeline: detection, pose estimation and tracking, in batches and in the order of the video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from posediff.detection.base import BaseDetector
from posediff.pipeline.following import missed_people, not_in_others, with_known_joints
from posediff.pipeline.frame_windows import frame_windows, in_batches
from posediff.pipeline.pose_nms import pose_nms
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.structures.frame_poses import NO_TRACK, FramePoses
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame
from posediff.tracking.base import BaseTracker
from posediff.tracking.first_frames import with_first_frames


class Observer:
    """The 2D stages of one video: detect persons, estimate their 2D poses, track them.

    If the detector misses a person of the previous frame, the pose estimator is run on the person's previous box,
    provided that it tells whether a box contains a person (``sees_absence``). If the pose estimator ``follows``,
    it gets the joints of the previous frame for the persons that were detected again, and the frames are estimated one
    by one instead of in batches.

    Args:
        detector: Returns the boxes of the persons in a frame.
        estimator: Returns the 2D pose in each box; may use neighbouring frames.
        tracker: Assigns track ids.
        batch_size: Frames per batch.
        min_pose_score: Poses with a lower mean keypoint score are discarded.
        max_similarity: Of two poses with a larger object keypoint similarity, the pose with the lower score is
            discarded, since detectors return some persons twice.
        first_frames: Extend tracks to the frames before the tracker confirmed them; results are delayed by as many
            frames.
    """

    def __init__(
        self,
        detector: BaseDetector,
        estimator: BasePoseEstimator,
        tracker: BaseTracker,
        batch_size: int = 8,
        min_pose_score: float = 0.3,
        max_similarity: float = 0.5,
        first_frames: bool = True,
    ) -> None:
        self.first_frames = first_frames
        self.min_pose_score, self.max_similarity = min_pose_score, max_similarity
        self.detector, self.estimator, self.tracker, self.batch_size = detector, estimator, tracker, batch_size

    def __call__(self, frames: Iterable[VideoFrame], fps: float) -> Iterator[FramePoses]:
        """Run all 2D stages.

        Args:
            frames: Frames in temporal order at a constant rate. For a frame that repeats the previous picture, the
                detections of that picture are used.
            fps: Frame rate.

        Yields:
            The tracked persons of each frame, as soon as its batch, the neighbouring frames of the pose estimator and,
            with ``first_frames``, the frames that the tracker needs to confirm a track have been read.
        """
        return self.track(self.estimate(frames), fps)

    def estimate(
        self, frames: Iterable[VideoFrame], first: int = 0, previous: FramePoses | None = None
    ) -> Iterator[FramePoses]:
        """Detect persons and estimate their 2D poses.

        Args:
            frames: Frames in temporal order, from ``first - frames_around`` of the estimator on, or from the beginning.
            first: Index of the first frame to yield.
            previous: The poses of the frame before ``first``.

        Yields:
            The poses of each frame, without track ids.
        """
        for windows in in_batches(
            frame_windows(self._detect(frames), self.estimator.frames_around, first), self.batch_size
        ):
            if self.estimator.follows:
                for window in windows:
                    people = with_known_joints(window, previous, self.estimator)
                    (poses,) = self.estimator([replace(window, people=people)])
                    previous = self._with_missed(window, self._without_duplicates(poses), previous)
                    yield previous
                continue
            for window, poses in zip(windows, self.estimator(windows), strict=True):
                previous = self._with_missed(window, self._without_duplicates(poses), previous)
                yield previous

    def _without_duplicates(self, poses: FramePoses) -> FramePoses:
        kept = pose_nms(
            poses.keypoints_2d,
            poses.keypoint_scores,
            self.estimator.skeleton,
            self.min_pose_score,
            self.max_similarity,
        )
        return poses.take(kept)

    def _with_missed(self, window: FrameWindow, found: FramePoses, previous: FramePoses | None) -> FramePoses:
        """Add the persons of the previous frame that the detector missed in this frame."""
        if previous is None or found.after_cut or not self.estimator.sees_absence:
            return found
        people = missed_people(window, found, previous, self.estimator)
        if not len(people):
            return found
        (added,) = self.estimator.search([replace(window, people=people)])
        return self._without_duplicates(found.extend(added.take(not_in_others(added, found))))

    def track(self, poses: Iterable[FramePoses], fps: float) -> Iterator[FramePoses]:
        """Assign track ids and drop persons without a track.

        Args:
            poses: The poses of each frame, from the first frame of the video on.
            fps: Frame rate.
        """
        tracked = self._tracked(poses, fps)
        if self.first_frames:
            tracked = with_first_frames(tracked, lambda one: one.boxes, self.tracker.min_hits)
        for one, track_ids in tracked:
            yield replace(one, track_ids=track_ids).take(track_ids != NO_TRACK)

    def _tracked(self, poses: Iterable[FramePoses], fps: float) -> Iterator[tuple[FramePoses, np.ndarray]]:
        self.tracker.reset(fps)
        for one in poses:
            args = one.frame_index, one.boxes, one.box_scores, one.keypoints_2d, one.keypoint_scores
            yield one, self.tracker.update(*args)

    def _detect(self, frames: Iterable[VideoFrame]) -> Iterator[tuple[VideoFrame, PersonBoxes]]:
        """Yield each frame with its boxes; a repeated picture gets the boxes of the previous frame."""
        before: PersonBoxes | None = None
        for batch in in_batches(frames, self.batch_size):
            new = [not frame.repeated or (before is None and number == 0) for number, frame in enumerate(batch)]
            found = iter(self.detector([frame for frame, is_new in zip(batch, new, strict=True) if is_new]))
            for frame, is_new in zip(batch, new, strict=True):
                if is_new or before is None:
                    before = next(found)
                yield frame, before
