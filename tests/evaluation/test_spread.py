"""Error against spread."""

import numpy as np
import pytest

from posediff.evaluation.spread import rank_correlation, spread_bins


def test_bins_are_in_order_of_the_spread():
    spreads = np.array([0.4, 0.1, 0.3, 0.2])
    bins = spread_bins(spreads, 10 * spreads, np.array([0, 1, 0, 1]), num_bins=2)
    assert bins == [
        pytest.approx({'count': 2, 'spread': 0.15, 'error': 1.5, 'accuracy': 1}),
        pytest.approx({'count': 2, 'spread': 0.35, 'error': 3.5, 'accuracy': 0}),
    ]
    assert spread_bins(np.zeros(0), np.zeros(0), np.zeros(0)) == []


def test_rank_correlation():
    spreads = np.array([1.0, 2.0, 3.0, 4.0])
    assert rank_correlation(spreads, np.exp(spreads)) == pytest.approx(1)
    assert rank_correlation(spreads, -(spreads**3)) == pytest.approx(-1)
    assert rank_correlation(spreads, np.array([1.0, 0.0, 2.0, 3.0])) == pytest.approx(0.8)
    assert rank_correlation(spreads, np.ones(4)) is None
    assert rank_correlation(np.zeros(0), np.zeros(0)) is None
