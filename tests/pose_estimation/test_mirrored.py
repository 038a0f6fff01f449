"""A pose estimator on mirrored images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from posediff.pose_estimation import BasePoseEstimator, FrameWindow
from posediff.pose_estimation.mirrored import MirroredEstimator
from posediff.pose_estimation.movenet import MoveNetEstimator
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.skeletons import COCO17
from posediff.structures.video_frame import VideoFrame


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


def test_nobody():
    (poses,) = MirroredEstimator(BrightestPixel())([window(np.zeros((8, 8, 3), np.uint8), [])])
    assert len(poses) == 0
