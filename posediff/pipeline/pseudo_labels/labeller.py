"""Labels of one video from the predictions of a 2D pose estimator."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from posediff.pipeline.frame_windows import frame_windows, in_batches
from posediff.pipeline.observing import Observer
from posediff.pipeline.pseudo_labels.record import LabelRecord
from posediff.pipeline.pseudo_labels.rules import LabelRules, PersonTrack, Verdict, check_keypoints
from posediff.pose_estimation.base import BasePoseEstimator
from posediff.structures.frame_poses import FramePoses
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.posetrack_joints import EVALUATED_KEYPOINTS, POSETRACK18_KEYPOINTS
from posediff.structures.skeletons import Skeleton
from posediff.structures.video_frame import VideoFrame
from posediff.video import VideoSource

MIN_BOX_MARGIN = 0.05
"""Least distance of a box's sides from its centre, relative to its longer side, for keypoints in a line."""


@dataclass(frozen=True)
class PersonLabel:
    """The label of one person in one frame.

    Attributes:
        frame: Index of the frame.
        track: Number of the person in the video, from 0.
        keypoints: (17, 3) x and y, px, and 1 for kept keypoints of PoseTrack18, else zeros.
        box: (4,) px, left, top, right, bottom: around the keypoints with enough score inside the image; its shorter
            side is at least a tenth of the longer one.
    """

    frame: int
    track: int
    keypoints: np.ndarray
    box: np.ndarray


@dataclass(frozen=True)
class PseudoLabeller:
    """Labels people in videos: the 2D stages of the pipeline, then the checks of :class:`LabelRules`.

    The video is read twice: the poses of the mirrored images are estimated for the tracked people only, in the boxes of
    their poses, so that an estimator that crops ``rois`` or ``close`` may begin with another crop. :class:`LabelledSet`
    reads a video with labels a third time, to write its frames.

    Attributes:
        new_observer: Returns the 2D stages for one video.
        mirrored: The estimator of the observer on mirrored images, without averaging over mirrored images of its own.
        rules: Thresholds.
        max_frames: Read at most this many frames of a video; None: all.
        batch_size: Frames per batch.

    Raises:
        ValueError: The estimator's skeleton shares fewer joints with PoseTrack than a labelled person must have.
    """

    new_observer: Callable[[VideoSource], Observer]
    mirrored: BasePoseEstimator
    rules: LabelRules
    max_frames: int | None = None
    batch_size: int = 8

    def __post_init__(self) -> None:
        names = shared_joints(self.mirrored.skeleton)
        if len(names) < self.rules.min_joints:
            raise ValueError(
                f'the skeleton {self.mirrored.skeleton.name} has {len(names)} joints of PoseTrack '
                f'({", ".join(names)}), fewer than the {self.rules.min_joints} that a labelled person must have'
            )

    def __call__(self, video: VideoSource) -> tuple[list[PersonLabel], LabelRecord]:
        """Return the labels of a video, in temporal order, and the counts."""
        tracked = list(self.new_observer(video)(self.frames(video), video.fps))
        names = shared_joints(self.mirrored.skeleton)
        columns = [self.mirrored.skeleton.joint_names.index(name) for name in names]
        record = LabelRecord(frames=len(tracked))
        labels: list[PersonLabel] = []
        for number, track in enumerate(self._tracks(video, tracked, columns)):
            verdicts = check_keypoints(track, self.rules, video.img_shape)
            record.add_track(verdicts, names)
            labels += _labels(number, track, verdicts == Verdict.KEPT, names, self.rules, video.img_shape)
        return sorted(labels, key=lambda label: (label.frame, label.track)), record

    def frames(self, video: VideoSource) -> Iterator[VideoFrame]:
        """Return the frames of the video that are read."""
        return itertools.islice(video, self.max_frames)

    def _tracks(
        self, video: VideoSource, tracked: Sequence[FramePoses], columns: Sequence[int]
    ) -> Iterator[PersonTrack]:
        """Yield the tracks of the persons; a cut ends all tracks."""
        found: dict[tuple[int, int], list[tuple[int, np.ndarray, np.ndarray, np.ndarray]]] = defaultdict(list)
        if not any(len(poses) for poses in tracked):
            return
        num_cuts = 0
        for poses, mirrored in zip(tracked, self._mirrored(video, tracked), strict=True):
            num_cuts += poses.after_cut
            for row, track_id in enumerate(poses.track_ids.tolist()):
                rows = poses.keypoints_2d[row], poses.keypoint_scores[row], mirrored.keypoints_2d[row]
                found[num_cuts, track_id].append((poses.frame_index, *(values[columns] for values in rows)))
        for rows_of_track in found.values():
            yield PersonTrack(*(np.array(values) for values in zip(*rows_of_track, strict=True)))

    def _mirrored(self, video: VideoSource, tracked: Sequence[FramePoses]) -> Iterator[FramePoses]:
        """Yield the poses of the tracked persons in the mirrored frames."""
        people = (PersonBoxes(poses.boxes, poses.box_scores) for poses in tracked)
        windows = frame_windows(zip(self.frames(video), people, strict=True), self.mirrored.frames_around)
        for batch in in_batches(windows, self.batch_size):
            yield from self.mirrored(batch)


def shared_joints(skeleton: Skeleton) -> list[str]:
    """Return the names of the joints that PoseTrack annotates too, in the order of PoseTrack18."""
    return [name for name in POSETRACK18_KEYPOINTS if name in EVALUATED_KEYPOINTS and name in skeleton.joint_names]


def _labels(
    number: int,
    track: PersonTrack,
    kept: np.ndarray,
    names: Sequence[str],
    rules: LabelRules,
    img_shape: tuple[int, int],
) -> Iterator[PersonLabel]:
    """Yield the labels of a person in the frames with kept keypoints.

    Args:
        number: Number of the person.
        track: The predictions.
        kept: (F, K) bool.
        names: Names of the K joints.
        rules: The thresholds.
        img_shape: (h, w) px.
    """
    columns = [POSETRACK18_KEYPOINTS.index(name) for name in names]
    last = np.array(img_shape[::-1]) - 1
    for row in np.flatnonzero(kept.any(1)):
        points = track.keypoints[row]
        keypoints = np.zeros((len(POSETRACK18_KEYPOINTS), 3))
        keypoints[columns] = np.where(kept[row][:, None], np.column_stack([points, np.ones(len(points))]), 0)
        of_box = points[(track.scores[row] >= rules.min_score) & (points >= 0).all(-1) & (points <= last).all(-1)]
        low, high = of_box.min(0), of_box.max(0)
        margin = np.maximum(MIN_BOX_MARGIN * (high - low).max() - (high - low) / 2, 0)
        yield PersonLabel(int(track.frames[row]), number, keypoints, np.concatenate([low - margin, high + margin]))
