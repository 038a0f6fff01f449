"""Object keypoint similarity against closed forms and MMPose."""

import math

import numpy as np
import pytest

from posediff.evaluation.keypoint_similarity import box_areas, keypoint_similarity


def test_one_deviation_is_worth_the_root_of_e():
    """At a distance of 2 σ sqrt(area) the similarity is exp(-1/2)."""
    sigmas, areas = np.array([0.1, 0.05]), np.array([100.0, 400.0])
    true = np.zeros((2, 2, 2))
    predicted = np.zeros((2, 2, 2))
    predicted[..., 0] = 2 * sigmas * np.sqrt(areas)[:, None]
    predicted[1, 1] = math.nan
    similar = keypoint_similarity(predicted, true, np.array([[1, 1], [1, 0]]), areas, sigmas)
    np.testing.assert_allclose(similar, [math.exp(-0.5)] * 2)


def test_area_of_boxes():
    assert box_areas(np.array([[10, 10, 20, 30], [0, 0, 1, 1]])).tolist() == pytest.approx([0.53 * 200, 1])


def test_mmpose_agrees():
    nms = pytest.importorskip('mmpose.evaluation.functional.nms', reason='MMPose is not installed')
    rng = np.random.default_rng(0)
    true, sigmas = rng.uniform(0, 100, (4, 17, 2)), rng.uniform(0.02, 0.1, 17)
    predicted, counted, areas = true + rng.normal(0, 5, true.shape), rng.random((4, 17)) < 0.7, rng.uniform(1e3, 1e4, 4)
    expected = [
        nms.oks_iou(
            np.c_[target, seen].ravel(), np.c_[found, seen].reshape(1, -1), area, np.array([area]), sigmas, 0.5
        )[0]
        for target, found, seen, area in zip(true, predicted, counted, areas, strict=True)
    ]
    np.testing.assert_allclose(keypoint_similarity(predicted, true, counted, areas, sigmas), expected, rtol=1e-6)


def test_a_person_without_keypoints_is_refused():
    with pytest.raises(ValueError, match='person 1 has no counted keypoint'):
        keypoint_similarity(np.zeros((2, 1, 2)), np.zeros((2, 1, 2)), np.array([[1], [0]]), np.ones(2), np.array([0.1]))
