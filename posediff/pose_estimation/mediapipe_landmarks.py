"""MediaPipe's pose landmarks, with weights from PyPI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from posediff.geometry.rotations import unit
from posediff.integrations import mediapipe
from posediff.integrations.mediapipe.rois import rois_from_boxes, rois_from_circles
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.registry import POSE_ESTIMATORS
from posediff.structures.argument_checks import require_whole
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.frame_poses import FramePoses
from posediff.structures.person_boxes import PersonBoxes, boxes_around
from posediff.structures.skeletons import MEDIAPIPE33

RADIUS_RATIO = 1.12
"""Radius of MediaPipe's body circle relative to that of its landmarks (median of 47 persons in 3 clips: 1.13)."""


@POSE_ESTIMATORS.register_module()
class MediaPipePoseEstimator(BasePoseEstimator):
    """A pose estimator that runs :class:`posediff.integrations.mediapipe.PoseLandmarkNetwork` on any detector's boxes.

    Args:
        num_passes: Runs of the network per person. From the second run on, the ROI is computed from the pose of the
            previous run, as MediaPipe does from frame to frame; the detector's box is less accurate.
        num_threads: CPU threads.
    """

    command_line = (
        CommandLineChoice(
            'mediapipe', "MediaPipe's pose landmarks", options={'num_passes': 'runs of the network per person'}
        ),
    )

    skeleton = MEDIAPIPE33
    sees_absence = True

    def __init__(self, num_passes: int = 2, num_threads: int = 1) -> None:
        require_whole(type(self).__name__, {'num_passes': num_passes}, 1)
        self.num_passes = num_passes
        self.estimator = mediapipe.PoseLandmarkNetwork(num_threads)

    def __call__(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        found = []
        for window in windows:
            people = window.people
            rois = rois_from_boxes(people.boxes) if people.rois is None else people.rois
            poses = self.estimator(window.key.image, rois)
            for _ in range(self.num_passes - 1):
                poses = self.estimator(window.key.image, poses.next_rois)
            # no person present: all scores are 0
            scores = poses.scores * (poses.presence > mediapipe.landmarks.PRESENCE_THRESHOLD)[:, None]
            keypoints = poses.keypoints.astype(np.float32)
            found.append(window.poses(keypoints, scores.astype(np.float32), boxes_around(keypoints)))
        return found

    def where_next(self, people: PersonBoxes, keypoints: np.ndarray) -> PersonBoxes:
        """Return the persons with ROIs around their hip centres, rotated like their trunks, as MediaPipe computes them.

        Args:
            people: The persons of the current frame.
            keypoints: (N, 33, 2) px, their keypoints.
        """
        middles = [
            keypoints[:, [self.skeleton.joint_names.index(f'{side}_{part}') for side in ('left', 'right')]].mean(1)
            for part in ('hip', 'shoulder')
        ]
        hips, up = middles[0], middles[1] - middles[0]
        upright = unit(up, np.array([0.0, -1.0]))
        reach = RADIUS_RATIO * np.linalg.norm(keypoints - hips[:, None], axis=-1).max(1, initial=0, keepdims=True)
        return replace(people, rois=rois_from_circles(hips, hips + reach * upright).astype(np.float32))
