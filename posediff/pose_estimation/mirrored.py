"""A 2D pose estimator on mirrored images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.structures.frame_poses import FramePoses
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame


class MirroredEstimator(BasePoseEstimator):
    """A pose estimator that runs another one on mirrored images and returns its keypoints in the images as they are.

    Where its keypoints differ from those of the other estimator, that estimator is not certain.

    Args:
        estimator: The other estimator. Its joints have sides, so left and right are exchanged.
    """

    def __init__(self, estimator: BasePoseEstimator) -> None:
        self.estimator = estimator
        self.skeleton, self.frames_around = estimator.skeleton, estimator.frames_around

    def without_flip_test(self) -> MirroredEstimator:
        return MirroredEstimator(self.estimator.without_flip_test())

    def __call__(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        images: dict[int, np.ndarray] = {}  # neighbouring windows share frames
        found = self.estimator([_mirrored(window, images) for window in windows])
        order = list(self.skeleton.flip_indices)
        return [
            window.poses(_mirrored_x(poses.keypoints_2d, window.key)[:, order], poses.keypoint_scores[:, order])
            for window, poses in zip(windows, found, strict=True)
        ]


def _mirrored_x(points: np.ndarray, frame: VideoFrame) -> np.ndarray:
    """Return points (…, 2) px at the mirrored places; the first and the last column of pixels change places."""
    return np.stack([frame.image.shape[1] - 1 - points[..., 0], points[..., 1]], axis=-1)


def _mirrored(window: FrameWindow, images: dict[int, np.ndarray]) -> FrameWindow:
    frames = []
    for frame in window.frames:
        if frame.index not in images:
            images[frame.index] = np.ascontiguousarray(frame.image[:, ::-1])
        frames.append(replace(frame, image=images[frame.index]))
    people = window.people
    mirrored = PersonBoxes(
        _mirrored_boxes(people.boxes, window.key),
        people.scores,
        None if people.rois is None else _mirrored_rois(people.rois, window.key),
        None if people.close is None else _mirrored_boxes(people.close, window.key),
    )
    return FrameWindow(tuple(frames), mirrored)


def _mirrored_boxes(boxes: np.ndarray, frame: VideoFrame) -> np.ndarray:
    corners = _mirrored_x(boxes.reshape(-1, 2, 2), frame)
    mirrored = np.stack([corners[:, 1, 0], corners[:, 0, 1], corners[:, 0, 0], corners[:, 1, 1]], axis=-1)
    return mirrored.astype(np.float32)


def _mirrored_rois(rois: np.ndarray, frame: VideoFrame) -> np.ndarray:
    """Return the rotated squares (N, 4), see :class:`PersonBoxes`, at the mirrored places; they turn the other way."""
    return np.column_stack([_mirrored_x(rois[:, :2], frame), rois[:, 2], -rois[:, 3]]).astype(np.float32)
