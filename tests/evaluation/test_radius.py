"""The radius that holds 90 % of the hypotheses, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi

from posediff.evaluation.radius import radius_90


@given(sigma=st.floats(0.1, 300), seed=st.integers(0, 2**16))
def test_of_a_normal_distribution_it_is_that_of_the_chi_distribution(sigma, seed):
    hypotheses = np.random.default_rng(seed).normal(0, sigma, (20_000, 1, 3))
    assert radius_90(hypotheses, np.zeros((1, 3)))[0] == pytest.approx(sigma * chi(3).ppf(0.9), rel=0.03)


def test_a_further_hypothesis_is_inside_in_nine_of_ten_cases():
    drawn = np.random.default_rng(0).normal(0, 50, (20 + 1, 40_000, 3))
    radius = radius_90(drawn[:-1], np.zeros((40_000, 3)))
    assert (np.linalg.norm(drawn[-1], axis=-1) <= radius).mean() == pytest.approx(0.9, abs=0.006)


def test_values_between_and_beyond_the_hypotheses():
    line = np.zeros((19, 1, 3))
    line[:, 0, 0] = np.arange(1, 20)
    assert radius_90(line, np.zeros((1, 3))).tolist() == [18]  # the 18th of 19 is at 18 / 20
    assert radius_90(line[:14], np.zeros((1, 3)))[0] == pytest.approx(13.5)  # 0.9 is half-way from 13 / 15 to 14 / 15
    assert radius_90(line[:4], np.zeros((1, 3))).tolist() == [4]  # the largest distance
    assert radius_90(line[:1], line[0]).tolist() == [0]


def test_shapes_types_and_unknown_joints():
    hypotheses = np.random.default_rng(0).normal(0, 1, (5, 7, 17, 3)).astype(np.float32)
    hypotheses[:, 2, 3] = np.nan
    radius = radius_90(hypotheses, hypotheses.mean(0))
    assert (radius.shape, radius.dtype) == ((7, 17), np.float32)
    assert np.isnan(radius).sum() == 1
