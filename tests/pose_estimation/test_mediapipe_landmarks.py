"""ROIs of the MediaPipe pose estimator in the next frame, with its weights, on footage."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('av')
pytest.importorskip('ai_edge_litert', reason="ai-edge-litert is not installed: pip install 'posediff[mediapipe]'")

from posediff.assets import DEMO_KEYPOINTS, DEMO_VIDEO  # noqa: E402
from posediff.detection import PersonBoxes  # noqa: E402
from posediff.integrations.mediapipe import weights  # noqa: E402
from posediff.pose_estimation import FrameWindow, MediaPipePoseEstimator  # noqa: E402
from posediff.video import open_video  # noqa: E402


@pytest.fixture(scope='module')
def estimator() -> MediaPipePoseEstimator:
    try:
        weights.WEIGHTS.fetch(weights.LANDMARKS)
    except RuntimeError as error:
        pytest.skip(f"MediaPipe's weights cannot be had: {error}")
    return MediaPipePoseEstimator(num_passes=1)


def people(count: int) -> PersonBoxes:
    return PersonBoxes(np.tile(np.float32([0, 0, 10, 10]), (count, 1)), np.ones(count, np.float32))


def test_squares_turn_and_grow_with_the_body(estimator):
    with np.load(DEMO_KEYPOINTS) as arrays:
        keypoints = arrays['keypoints_2d'][:1].astype(np.float64)
    (upright,) = estimator.where_next(people(1), keypoints).rois
    quarter = np.array([[0, 1], [-1, 0]])  # clockwise in an image, whose y points down
    (turned,) = estimator.where_next(people(1), 2 * keypoints @ quarter).rois
    np.testing.assert_allclose(turned[:2], 2 * upright[:2] @ quarter, rtol=1e-5)
    np.testing.assert_allclose(turned[2], 2 * upright[2], rtol=1e-5)
    np.testing.assert_allclose((turned[3] - upright[3]) % (2 * np.pi), np.pi / 2, atol=1e-5)
    assert estimator.where_next(people(0), np.zeros((0, 33, 2))).rois.shape == (0, 4)
    assert np.isfinite(estimator.where_next(people(1), np.zeros((1, 33, 2))).rois).all()


def test_a_walker_is_found_again_from_frame_to_frame(estimator):
    try:
        clip = open_video(DEMO_VIDEO.fetch('demo.mp4'))
    except RuntimeError as error:
        pytest.skip(f'the clip cannot be had: {error}')
    with np.load(DEMO_KEYPOINTS) as arrays:
        recorded = arrays['keypoints_2d'].astype(np.float64)
    first, height = 54, np.ptp(recorded[..., 1], axis=1).max()  # the recording begins with this frame of the clip
    keypoints = recorded[:1]
    for frame in clip.frames(first):
        if frame.index == first + 40:
            break
        near = estimator.where_next(people(1), keypoints)
        (poses,) = estimator([FrameWindow((frame,), near)])
        assert poses.keypoint_scores.mean() > 0.3, frame.index
        keypoints = poses.keypoints_2d
        far = np.linalg.norm(keypoints[0, 23:29] - recorded[frame.index - first, 23:29], axis=-1)
        assert np.median(far) < 0.1 * height, frame.index
