"""Contract tests of all registered pose estimators; see posediff.pose_estimation.base."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.pose_estimation.base import FrameWindow
from posediff.registry import POSE_ESTIMATORS
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.skeletons import SKELETONS
from posediff.structures.video_frame import VideoFrame
from posediff.testing.contracts.base import Contract

BOXES = np.array([[10, 5, 50, 90], [60, 20, 120, 95], [-20, -10, 40, 50]], np.float32)


def window(component, index: int, boxes: np.ndarray) -> FrameWindow:
    """Create a window of random frames of 128 by 96 px from frame ``index`` on, with persons in ``boxes``."""
    rng = np.random.default_rng(index)
    count = 2 * component.frames_around + 1
    frames = [VideoFrame(index + k, 0.0, rng.integers(0, 256, (96, 128, 3), np.uint8)) for k in range(count)]
    return FrameWindow(tuple(frames), PersonBoxes(boxes, np.ones(len(boxes), np.float32)))


class PoseEstimatorContract(Contract):
    """Tests that run on every registered pose estimator."""

    registry = POSE_ESTIMATORS

    def test_every_person_gets_a_pose_of_a_registered_skeleton(self, component):
        windows = [window(component, 0, BOXES), window(component, 1, BOXES[:0]), window(component, 2, BOXES[1:])]
        assert SKELETONS[component.skeleton.name] is component.skeleton
        for poses, one in zip(component(windows), windows, strict=True):
            joints = component.skeleton.num_joints
            assert poses.keypoints_2d.shape == (len(one.people), joints, 2)
            assert poses.keypoint_scores.shape == (len(one.people), joints)
            assert poses.keypoints_2d.dtype == poses.keypoint_scores.dtype == np.float32
            assert np.isfinite(poses.keypoints_2d).all()
            assert ((poses.keypoint_scores >= 0) & (poses.keypoint_scores <= 1)).all()

    def test_people_and_frames_are_independent(self, component):
        windows = [window(component, 0, BOXES), window(component, 2, BOXES[1:])]
        together = component(windows)
        (alone,) = component([window(component, 0, BOXES[1:2])])
        np.testing.assert_allclose(alone.keypoints_2d[0], together[0].keypoints_2d[1], atol=0.05)
        np.testing.assert_allclose(alone.keypoint_scores[0], together[0].keypoint_scores[1], atol=1e-4)

    @pytest.mark.parametrize('boxes', [BOXES[:0]])
    def test_a_frame_without_people_gives_no_pose(self, component, boxes):
        (poses,) = component([window(component, 0, boxes)])
        assert len(poses) == 0
        assert component([]) == []
