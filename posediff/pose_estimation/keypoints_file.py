"""Precomputed keypoints from a file as a 2D pose estimator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from posediff.fileio.keypoint_files.opening import boxes_of, open_record
from posediff.geometry.similarity import box_iou
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.registry import POSE_ESTIMATORS
from posediff.structures.frame_poses import FramePoses


@POSE_ESTIMATORS.register_module()
class KeypointsFileEstimator(BasePoseEstimator):
    """A pose estimator that reads keypoints from a file or folder.

    Boxes are matched to the persons of the frame by maximum total IoU; a box that overlaps no person gets scores of 0.

    Args:
        path: The file or folder.
        skeleton, options: See :func:`posediff.fileio.keypoint_files.read_keypoint_file`.
    """

    def __init__(self, path: str | Path, skeleton: str | None = None, **options: Any) -> None:
        self.record = open_record(path, skeleton, **options)
        self.skeleton = self.record.skeleton

    def __call__(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        return [self._poses(window) for window in windows]

    def _poses(self, window: FrameWindow) -> FramePoses:
        joints = self.skeleton.num_joints
        keypoints = np.zeros((len(window.people), joints, 2), np.float32)
        scores = np.zeros((len(window.people), joints), np.float32)
        everybody = self.record.at(window.key)
        found, kept = boxes_of(everybody, window.key.image.shape[:2])
        overlap = box_iou(window.people.boxes, found.boxes)
        rows, columns = linear_sum_assignment(-overlap)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if overlap[row, column] > 0:
                person = everybody[kept[column]]
                keypoints[row], scores[row] = person.keypoints, person.scores
        return window.poses(keypoints, scores)
