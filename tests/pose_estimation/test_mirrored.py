"""A pose estimator on mirrored images."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from posediff.integrations.mediapipe.rois import roi_to_image
from posediff.pose_estimation import BasePoseEstimator, DiffPoseEstimator, FrameWindow, MMPoseEstimator
from posediff.pose_estimation.mirrored import MirroredEstimator
from posediff.pose_estimation.movenet import MoveNetEstimator
from posediff.structures.frame_poses import FramePoses
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.skeletons import COCO17
from posediff.structures.video_frame import VideoFrame
from posediff.testing.tiny_models import diffpose_config


class BrightestPixel(BasePoseEstimator):
    """All keypoints at the brightest pixel of the box, with the number of the joint as score."""

    skeleton = COCO17

    def __call__(self, windows):
        found = []
        for window in windows:
            keypoints = []
            for left, top, right, bottom in window.people.boxes.round().astype(int):
                part = window.key.image[top : bottom + 1, left : right + 1, 0]
                y, x = np.unravel_index(part.argmax(), part.shape)
                keypoints.append(np.tile([left + x, top + y], (17, 1)))
            scores = np.tile(np.arange(17) / 17, (len(keypoints), 1))
            found.append(window.poses(np.float32(keypoints).reshape(-1, 17, 2), np.float32(scores)))
        return found


def window(image: np.ndarray, boxes: list[list[float]]) -> FrameWindow:
    return FrameWindow((VideoFrame(0, 0.0, image),), PersonBoxes(np.float32(boxes).reshape(-1, 4), np.ones(len(boxes))))


@pytest.mark.parametrize('width', [40, 41])
def test_keypoints_are_at_their_places_and_sides_are_exchanged(width):
    image = np.zeros((30, width, 3), np.uint8)
    image[12, 7] = image[5, 33] = 255
    boxes = [[2, 8, 15, 20], [20, 0, 39, 9]]
    (poses,) = MirroredEstimator(BrightestPixel())([window(image, boxes)])
    np.testing.assert_array_equal(poses.keypoints_2d, np.tile([[[7, 12]], [[33, 5]]], (1, 17, 1)))
    np.testing.assert_allclose(poses.keypoint_scores[0] * 17, COCO17.flip_indices, atol=1e-5)
    np.testing.assert_array_equal(poses.boxes, np.float32(boxes))


def test_twice_is_the_estimator_itself():
    torch.manual_seed(0)
    estimator = MoveNetEstimator('lightning', 'random', input_size=(64, 64), flip_test=False)
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    one = window(image, [[4, 4, 30, 40], [20, 2, 60, 47]])
    (expected,), (twice,) = estimator([one]), MirroredEstimator(MirroredEstimator(estimator))([one])
    np.testing.assert_allclose(twice.keypoints_2d, expected.keypoints_2d, atol=1e-3)
    np.testing.assert_allclose(twice.keypoint_scores, expected.keypoint_scores, atol=1e-5)


class CornersOfRois(BasePoseEstimator):
    """Keypoints at fixed points of the rotated squares and of the close boxes."""

    skeleton = COCO17

    def __call__(self, windows):
        found = []
        for window in windows:
            rois, close = window.people.rois, window.people.close
            keypoints = np.tile(close[:, None, :2], (1, 17, 1))
            keypoints[:, 1:] = rois[:, None, :2]
            of_roi = roi_to_image(rois, np.array([[0.25, 0.1]]))  # left of the middle
            keypoints[:, 5] = of_roi[:, 0]
            found.append(window.poses(keypoints.astype(np.float32), np.ones((len(rois), 17), np.float32)))
        return found


def test_rotated_squares_and_close_boxes_are_mirrored():
    rois, close = np.float32([[20, 10, 12, 0.4]]), np.float32([[4, 5, 14, 25]])
    people = PersonBoxes(np.float32([[2, 3, 30, 28]]), np.ones(1, np.float32), rois, close)
    frame = VideoFrame(0, 0.0, np.zeros((30, 41, 3), np.uint8))
    (poses,) = MirroredEstimator(CornersOfRois())([FrameWindow((frame,), people)])
    np.testing.assert_allclose(poses.keypoints_2d[0, 0], [14, 5], atol=1e-5)  # the right upper corner
    np.testing.assert_allclose(poses.keypoints_2d[0, 1], [20, 10], atol=1e-5)
    (right,) = roi_to_image(rois, np.array([[0.75, 0.1]]))
    np.testing.assert_allclose(poses.keypoints_2d[0, COCO17.flip_indices[5]], right[0], atol=1e-5)


def test_nobody():
    (poses,) = MirroredEstimator(BrightestPixel())([window(np.zeros((8, 8, 3), np.uint8), [])])
    assert len(poses) == 0


def movenet() -> BasePoseEstimator:
    return MoveNetEstimator('lightning', 'random', input_size=(64, 64))


def mmpose() -> BasePoseEstimator:
    pytest.importorskip('mmpose')
    return MMPoseEstimator('rtmpose-t_8xb256-420e_body8-256x192', 'random')


def diffpose(option: str = 'flip_test') -> BasePoseEstimator:
    pytest.importorskip('mmpose')
    pytest.importorskip('timm')
    config = diffpose_config()
    config.model.test_cfg[option] = True
    return DiffPoseEstimator(config, 'random', memory_bytes=2**20)


def same(one: FramePoses, other: FramePoses) -> bool:
    return all(
        np.allclose(getattr(one, name), getattr(other, name), atol=1e-5) for name in ('keypoints_2d', 'keypoint_scores')
    )


@pytest.mark.parametrize('build', [movenet, mmpose, diffpose, partial(diffpose, 'flip_steps')])
def test_the_flip_test_is_switched_off_in_a_copy(build):
    torch.manual_seed(0)
    averaged = build()
    frame = VideoFrame(0, 0.0, np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))
    people = PersonBoxes(np.float32([[4, 4, 30, 40], [20, 2, 60, 47]]), np.ones(2, np.float32))
    one = FrameWindow((frame,) * (2 * averaged.frames_around + 1), people)
    (before,) = averaged([one])
    single = averaged.without_flip_test()
    (alone,) = single([one])
    (mirrored,) = MirroredEstimator(single)([one])
    (after,) = averaged([one])
    np.testing.assert_array_equal(after.keypoints_2d, before.keypoints_2d)
    np.testing.assert_array_equal(after.keypoint_scores, before.keypoint_scores)
    assert not same(alone, before)
    assert not same(alone, mirrored)
    assert single.without_flip_test() is single


def test_without_a_flip_test_it_is_the_estimator_itself():
    estimator = BrightestPixel()
    assert estimator.without_flip_test() is estimator


def test_a_flip_test_that_cannot_be_switched_off_is_an_error():
    estimator = BrightestPixel()
    estimator.flip_test = True
    with pytest.raises(ValueError, match='BrightestPixel has a flip test'):
        estimator.without_flip_test()
