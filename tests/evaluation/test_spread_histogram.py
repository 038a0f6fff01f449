"""Histograms of spread and error, and curves from them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posediff.evaluation.spread_histogram import EDGES, NUM_BINS, binned_sums, root_mean_squares, sparsification

POSITIVE = st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 500), st.integers(0, 2)), min_size=1, max_size=40)


@given(POSITIVE)
def test_sums_are_those_of_numpys_histogram(points):
    values, weights, rows = (np.array(column) for column in zip(*points, strict=True))
    found = binned_sums(*(torch.as_tensor(one) for one in (values, weights[:, None], rows)), 3)
    assert found.shape == (3, NUM_BINS, 1)
    edges = np.concatenate([[-np.inf], EDGES, [np.inf]])
    for row in range(3):
        expected, _ = np.histogram(values[rows == row], edges, weights=weights[rows == row])
        np.testing.assert_allclose(found[row, :, 0], expected, atol=1e-9)


def test_the_most_certain_points_come_first():
    """Two points with error 1 each, none in the second bin, one with error 7 in the third."""
    assert sparsification(np.array([2, 0, 1]), np.array([2.0, 0, 7])) == [
        pytest.approx({'kept': 2 / 3, 'error': 1}),
        pytest.approx({'kept': 1, 'error': 3}),
    ]
    assert sparsification(np.zeros(3), np.zeros(3)) == []


@given(st.lists(st.floats(1, 900), min_size=2, max_size=60), st.integers(0, 2**31 - 1))
def test_no_order_is_better_than_that_of_the_errors(errors, seed):
    errors = torch.tensor(errors, dtype=torch.float64)
    spreads = errors[torch.randperm(len(errors), generator=torch.Generator().manual_seed(seed))]
    weights, rows = torch.stack([torch.ones_like(errors), errors], -1), torch.zeros(len(errors), dtype=torch.int64)
    by_spread, by_error = (
        sparsification(*binned_sums(values, weights, rows, 1)[0].numpy().T) for values in (spreads, errors)
    )
    best = {round(point['kept'], 9): point['error'] for point in by_error}
    for point in by_spread:
        assert point['error'] >= best.get(round(point['kept'], 9), 0) - 1e-9


def test_root_mean_squares():
    sums = np.array([[2, 8.0, 18], [0, 0, 0], [1, 25, 16]])
    assert root_mean_squares(sums) == [
        {'count': 2, 'spread': 2, 'error': 3},
        {'count': 1, 'spread': 5, 'error': 4},
    ]
