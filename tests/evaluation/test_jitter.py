"""Jitter against closed forms."""

import math

import numpy as np
import pytest

from posediff.evaluation.jitter import acceleration, jitter, relative_accelerations


def test_uniform_motion_does_not_jitter():
    keypoints = np.arange(8)[:, None, None] * np.array([[3.0, -1.0], [0.0, 2.0]])
    assert jitter(keypoints, sizes=10.0) == pytest.approx(0, abs=1e-12)


def test_a_parabola_accelerates_by_its_constant():
    """x = 3/2 t² and y = 2 t²: 3 and 4 px per squared frame, 5 together."""
    time = np.arange(6.0)
    keypoints = np.stack([1.5 * time**2, 2 * time**2], axis=-1)[:, None]
    np.testing.assert_allclose(acceleration(keypoints), np.full((4, 1), 5.0))
    assert jitter(keypoints, sizes=10.0) == pytest.approx(0.5)


def test_white_noise_has_its_expected_value():
    """Each coordinate of the second difference has variance 6 sigma²; the norm is Rayleigh's."""
    noise = np.random.default_rng(0).normal(0, 2.0, (20_000, 3, 2))
    assert jitter(noise, sizes=1.0) == pytest.approx(2 * math.sqrt(6) * math.sqrt(math.pi / 2), rel=0.01)


def test_the_size_is_that_of_the_middle_frame():
    keypoints = np.zeros((4, 1, 2))
    keypoints[1] = 3, 4
    assert acceleration(keypoints)[:, 0].tolist() == [10, 5]
    assert jitter(keypoints, sizes=[-1, 5, 10, -1]) == pytest.approx((2 + 0.5) / 2)


def test_only_what_is_seen_in_three_frames_counts():
    keypoints = np.zeros((5, 2, 2))
    keypoints[4, 0] = 100
    keypoints[2, 1] = math.nan
    visible = np.ones((5, 2))
    visible[4, 0] = 0
    assert jitter(keypoints, 1.0) == pytest.approx(100 * math.sqrt(2) / 3)
    assert jitter(keypoints, 1.0, visible) == 0
    assert math.isnan(jitter(keypoints[:, 1:], 1.0))
    assert math.isnan(jitter(keypoints[:2], 1.0))


def test_what_does_not_fit_is_refused():
    keypoints = np.zeros((5, 2, 2))
    with pytest.raises(ValueError, match='size is not positive'):
        jitter(keypoints, 0.0)
    with pytest.raises(ValueError, match=r'\(T, K, D\)'):
        jitter(keypoints[0], 1.0)
    with pytest.raises(ValueError, match='visible'):
        jitter(keypoints, 1.0, np.ones(5))


def test_accelerations_of_runs_can_be_pooled():
    keypoints = np.random.default_rng(0).normal(size=(7, 3, 2))
    visible = np.ones((7, 3))
    visible[2, 1] = 0
    values = relative_accelerations(keypoints, 2.0, visible)
    assert len(values) == 5 * 3 - 3
    assert values.mean() == pytest.approx(jitter(keypoints, 2.0, visible))
    assert len(relative_accelerations(keypoints[:2], 2.0)) == 0
