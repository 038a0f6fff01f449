"""Reliability of scores, and the map that calibrates them."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.evaluation.score_calibration import (
    ReliabilityBin,
    ScoreCalibration,
    expected_calibration_error,
    fit_score_calibration,
    quantile_groups,
    reliability_bins,
)

PAIRS = st.lists(st.tuples(st.floats(-0.2, 1.2), st.booleans()), min_size=1, max_size=60)


def test_bins_and_error():
    scores = np.array([0.0, 0.1, 0.5, 0.7, 1.0, 1.2, -0.1])
    correct = np.array([0, 1, 1, 0, 1, 1, 0])
    bins = reliability_bins(scores, correct, num_bins=2)
    assert bins == [
        ReliabilityBin(0.0, 0.5, 3, pytest.approx(0.0), pytest.approx(1 / 3)),
        ReliabilityBin(0.5, 1.0, 4, pytest.approx(0.85), pytest.approx(0.75)),
    ]
    assert expected_calibration_error(bins) == pytest.approx((3 * (1 / 3) + 4 * 0.1) / 7)
    assert expected_calibration_error([]) is None
    assert [one.low for one in reliability_bins(np.array([0.95, 0.05]), np.ones(2))] == [0.0, 0.9]


def test_scores_that_are_probabilities_have_no_error():
    rng = np.random.default_rng(0)
    scores = rng.random(200_000)
    correct = rng.random(200_000) < scores
    assert expected_calibration_error(reliability_bins(scores, correct)) < 0.01
    expected = np.linspace(0.1, 0.9, 9)
    np.testing.assert_allclose(fit_score_calibration(scores, correct)(expected), expected, atol=0.02)


def test_a_known_distortion_is_undone():
    """Scores are the square of the probability."""
    rng = np.random.default_rng(1)
    probability = rng.random((2, 100_000))
    scores, correct = probability**2, rng.random(probability.shape) < probability
    calibration = fit_score_calibration(scores[0], correct[0])
    before, after = (
        expected_calibration_error(reliability_bins(values, correct[1]))
        for values in (scores[1], calibration(scores[1]))
    )
    assert before > 0.15
    assert after < 0.02


@given(pairs=PAIRS, num_knots=st.integers(1, 12))
def test_the_fit_is_monotone_small_and_right_on_average(pairs, num_knots):
    scores, correct = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    calibration = fit_score_calibration(scores, correct, num_knots)
    assert 1 <= len(calibration.scores) <= num_knots
    mapped = calibration(np.sort(scores))
    assert (np.diff(mapped) >= -1e-12).all()  # interpolation rounds
    assert 0 <= mapped.min() <= mapped.max() <= 1
    sizes = [len(group) for group in quantile_groups(scores, num_knots)]
    assert np.average(calibration.probabilities, weights=sizes) == pytest.approx(correct.mean())
    assert ScoreCalibration(**json.loads(json.dumps(asdict(calibration))))(scores) == pytest.approx(calibration(scores))


@given(pairs=PAIRS, num_bins=st.integers(1, 20))
def test_bins_contain_every_keypoint_once(pairs, num_bins):
    scores, correct = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    bins = reliability_bins(scores, correct, num_bins)
    assert sum(one.count for one in bins) == len(pairs)
    assert sum(one.count * one.accuracy for one in bins) == pytest.approx(correct.sum())
    assert sum(one.count * one.score for one in bins) == pytest.approx(scores.sum(), abs=1e-9)
    assert 0 <= expected_calibration_error(bins) <= 1.2


@given(values=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.9]), min_size=1, max_size=40), number=st.integers(1, 8))
def test_equal_values_are_in_one_group(values, number):
    values = np.array(values)
    groups = quantile_groups(values, number)
    assert len(groups) <= number
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(values)))
    for lower, upper in zip(groups, groups[1:], strict=False):
        assert values[lower].max() < values[upper].min()


def test_closed_form_of_the_fit():
    """Shares 1/2, 1/4, 3/4 in groups of four; the first two violate the order and are pooled to 3/8."""
    scores = np.arange(12) / 12
    correct = np.array([1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0])
    calibration = fit_score_calibration(scores, correct, 3)
    assert calibration.scores == pytest.approx([1.5 / 12, 5.5 / 12, 9.5 / 12])
    assert calibration.probabilities == pytest.approx([3 / 8, 3 / 8, 3 / 4])
    assert calibration(np.array([0, 7.5 / 12, 1])).tolist() == pytest.approx([3 / 8, (3 / 8 + 3 / 4) / 2, 3 / 4])


@pytest.mark.parametrize(
    ('scores', 'probabilities', 'message'),
    [
        ((), (), 'as many scores as probabilities, got 0 and 0'),
        ((0.1, 0.2), (0.5,), 'got 2 and 1'),
        ((0.2, 0.2), (0.5, 0.6), 'finite and increase'),
        ((0.2, math.inf), (0.5, 0.6), 'finite and increase'),
        ((0.2, 0.3), (0.6, 0.5), 'must not decrease'),
        ((0.2, 0.3), (0.6, 1.5), 'from 0 to 1'),
    ],
)
def test_knots_out_of_order_are_refused(scores, probabilities, message):
    with pytest.raises(ValueError, match=message):
        ScoreCalibration(scores, probabilities)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r'scores \(2,\) and correct \(3,\)'):
        reliability_bins(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match='a score is nan'):
        fit_score_calibration(np.array([0.5, math.nan]), np.zeros(2))
    with pytest.raises(ValueError, match='no keypoint'):
        fit_score_calibration(np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match='num_knots must be at least 1, got 0'):
        fit_score_calibration(np.zeros(2), np.zeros(2), 0)
