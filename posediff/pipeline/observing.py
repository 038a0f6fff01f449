"""From frames to who is where: detect, estimate, track, in batches and in the order of the video."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from posediff.detection.base import BaseDetector
from posediff.geometry.similarity import box_iou, object_keypoint_similarity
from posediff.pipeline.sightings import Sighting
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow, Poses
from posediff.structures.people import People
from posediff.structures.skeletons import Skeleton
from posediff.structures.video_frame import VideoFrame
from posediff.tracking.base import NO_TRACK, BaseTracker
from posediff.tracking.first_frames import with_first_frames

Item = TypeVar('Item')
STILL_THERE = 0.3  # overlap (intersection over union) of two boxes in successive frames that are one person's
PART_OF = 0.7  # part of a box within another's from which on who was not detected is taken for a part of the other


@dataclass(frozen=True)
class Observation(Sighting):
    """The people of one frame who have a track.

    Attributes:
        track_ids: (N,) int64.
    """

    track_ids: np.ndarray


class Observer:
    """Find, estimate and track the people of a video.

    Whom the detector misses, from behind for instance, is looked for where the frame before had the person, as long as
    an estimator that sees absence says that somebody is there.

    Args:
        detector: Finds people.
        estimator: Finds their keypoints; may look at frames around.
        tracker: Tells them apart over time.
        batch_size: Frames at a time.
        min_pose_score: Poses whose mean keypoint score is below are nobody's.
        same_pose: Of two poses in a frame that are more alike (object keypoint similarity) one is left, the better
            scored: detectors see people double.
        first_frames: People are there from the frame on that they were found in first, not only once the tracker is
            sure of them; results come that many frames later.
    """

    def __init__(
        self,
        detector: BaseDetector,
        estimator: BasePoseEstimator,
        tracker: BaseTracker,
        batch_size: int = 8,
        min_pose_score: float = 0.3,
        same_pose: float = 0.5,
        first_frames: bool = True,
    ) -> None:
        self.first_frames = first_frames
        self.min_pose_score, self.same_pose = min_pose_score, same_pose
        self.detector, self.estimator, self.tracker, self.batch_size = detector, estimator, tracker, batch_size

    def __call__(self, frames: Iterable[VideoFrame], fps: float) -> Iterator[Observation]:
        """Observe frame by frame.

        Args:
            frames: In order, at a constant rate; a frame that repeats the one before gets its people again.
            fps: Their rate.

        Yields:
            One observation a frame, as soon as its batch and the frames around it are there, and with ``first_frames``
            the frames that the tracker wants.
        """
        return self.follow(self.look(frames), fps)

    def look(self, frames: Iterable[VideoFrame], first: int = 0, before: Sighting | None = None) -> Iterator[Sighting]:
        """Find and estimate the people of frames ``first`` and later.

        Args:
            frames: In order; from ``first - frames_around`` of the estimator on, or from the beginning.
            first: Number of the first frame that is wanted.
            before: Who was seen in the frame before that.
        """
        for windows in _batches(self._windows(self._found(frames), first), self.batch_size):
            for window, poses in zip(windows, self.estimator(windows), strict=True):
                before = self._with_missed(window, self._sighting(window, [(window.people, poses)]), before)
                yield before

    def _sighting(self, window: FrameWindow, found: list[tuple[People, Poses]]) -> Sighting:
        """Everybody once."""
        keypoints, scores = (
            np.concatenate([getattr(poses, name) for _, poses in found]) for name in ('keypoints', 'scores')
        )
        boxes = np.concatenate([people.boxes if poses.boxes is None else poses.boxes for people, poses in found])
        kept = one_pose_each(Poses(keypoints, scores), self.estimator.skeleton, self.min_pose_score, self.same_pose)
        return Sighting(
            window.key.index,
            window.key.time_s,
            boxes[kept],
            np.concatenate([people.scores for people, _ in found])[kept],
            keypoints[kept],
            scores[kept],
            after_cut=window.key.after_cut,
        )

    def _with_missed(self, window: FrameWindow, seen: Sighting, before: Sighting | None) -> Sighting:
        """With those of the frame before whom the detector missed."""
        if before is None or seen.after_cut or not self.estimator.sees_absence:
            return seen
        overlap = box_iou(before.boxes, seen.boxes)
        rows, columns = linear_sum_assignment(-overlap)
        height, width = window.key.image.shape[:2]
        missed = (np.minimum(before.boxes[:, 2:], [width, height]) > np.maximum(before.boxes[:, :2], 0)).all(-1)
        missed[rows[overlap[rows, columns] >= STILL_THERE]] = False
        if not missed.any():
            return seen
        people = People(before.boxes[missed], before.box_scores[missed])
        people = self.estimator.where_next(people, before.keypoints_2d[missed])
        (poses,) = self.estimator([FrameWindow(window.frames, people)])
        boxes = people.boxes if poses.boxes is None else poses.boxes
        alone = (_covered(boxes, seen.boxes) <= PART_OF).all(1)
        people = People(boxes[alone], people.scores[alone])
        poses = Poses(poses.keypoints[alone], poses.scores[alone])
        there = People(seen.boxes, seen.box_scores), Poses(seen.keypoints_2d, seen.keypoint_scores, seen.boxes)
        return self._sighting(window, [there, (people, poses)])

    def follow(self, sightings: Iterable[Sighting], fps: float) -> Iterator[Observation]:
        """Tell people apart, in sightings from the first frame on."""
        tracked = self._tracked(sightings, fps)
        if self.first_frames:
            tracked = with_first_frames(tracked, lambda one: one.boxes, self.tracker.min_hits)
        for one, ids in tracked:
            known = ids != NO_TRACK
            yield Observation(
                frame_index=one.frame_index,
                time_s=one.time_s,
                boxes=one.boxes[known],
                box_scores=one.box_scores[known],
                keypoints_2d=one.keypoints_2d[known],
                keypoint_scores=one.keypoint_scores[known],
                after_cut=one.after_cut,
                track_ids=ids[known],
            )

    def _tracked(self, sightings: Iterable[Sighting], fps: float) -> Iterator[tuple[Sighting, np.ndarray]]:
        self.tracker.reset(fps)
        for one in sightings:
            args = one.frame_index, one.boxes, one.box_scores, one.keypoints_2d, one.keypoint_scores
            yield one, self.tracker.update(*args)

    def _found(self, frames: Iterable[VideoFrame]) -> Iterator[tuple[VideoFrame, People]]:
        before: People | None = None
        for batch in _batches(frames, self.batch_size):
            new = [not frame.repeated or (before is None and number == 0) for number, frame in enumerate(batch)]
            found = iter(self.detector([frame for frame, is_new in zip(batch, new, strict=True) if is_new]))
            for frame, is_new in zip(batch, new, strict=True):
                if is_new or before is None:
                    before = next(found)
                yield frame, before

    def _windows(self, found: Iterable[tuple[VideoFrame, People]], first: int) -> Iterator[FrameWindow]:
        """Every frame in the middle of those around it; at the ends the first or last is repeated."""
        around = self.estimator.frames_around
        kept: deque[tuple[VideoFrame, People]] = deque(maxlen=2 * around + 1)
        last: tuple[VideoFrame, People] | None = None
        for item in found:
            kept.extend([item] * (around + 1 if last is None else 1))
            last = item
            if len(kept) == 2 * around + 1 and kept[around][0].index >= first:
                yield _window(kept, around)
        for _ in range(around if last is not None else 0):
            kept.append(last)  # type: ignore[arg-type]
            if len(kept) == 2 * around + 1 and kept[around][0].index >= first:
                yield _window(kept, around)


def one_pose_each(poses: Poses, skeleton: Skeleton, min_score: float, same: float) -> np.ndarray:
    """Rows of the poses that are somebody's, in their order: sure enough, and none of them like a better one.

    Poses are alike by the object keypoint similarity of the keypoints that both have, with a spread of a 15th of the
    better one's longer side (the shorter one is that of the view, not of the person). Of each pair of sides the one
    that is nearer counts: seen from the side, the same person is found twice with some limbs swapped.
    """
    means = poses.scores.mean(-1) if len(poses) else np.zeros(0)
    kept: list[int] = []
    for row in np.argsort(-means, kind='stable').tolist():
        if means[row] >= min_score and all(_likeness(poses, row, other, skeleton) <= same for other in kept):
            kept.append(row)
    return np.array(sorted(kept), dtype=int)


def _likeness(poses: Poses, row: int, better: int, skeleton: Skeleton) -> float:
    other, other_seen = poses.keypoints[better], poses.scores[better] > 0
    sides = np.stack([np.arange(skeleton.num_joints), skeleton.flip_indices])
    far = ((poses.keypoints[row][sides] - other) ** 2).sum(-1)
    far[poses.scores[row][sides] <= 0] = np.inf
    nearer = sides[far.argmin(0), np.arange(skeleton.num_joints)]
    points, seen = poses.keypoints[row][nearer], poses.scores[row][nearer] > 0
    spread = np.full((1, skeleton.num_joints), max(float(np.ptp(other, axis=0).max()) / 15, 1.0))
    alike, _ = object_keypoint_similarity(other[None], other_seen[None], points[None], seen[None], spread)
    return float(alike[0, 0])


def _covered(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N, M) parts of the areas of N boxes that M others cover."""
    low = np.maximum(boxes[:, None, :2], others[:, :2])
    high = np.minimum(boxes[:, None, 2:], others[:, 2:])
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return (high - low).clip(0).prod(-1) / np.maximum(areas, 1e-6)[:, None]


def _window(kept: deque[tuple[VideoFrame, People]], around: int) -> FrameWindow:
    return FrameWindow(tuple(frame for frame, _ in kept), kept[around][1])


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
