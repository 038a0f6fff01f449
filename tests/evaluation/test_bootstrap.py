"""Paired bootstrap against the normal distribution."""

import math

import numpy as np
import pytest

from posediff.evaluation.bootstrap import paired_bootstrap


def test_the_interval_of_a_mean():
    """The standard error of the mean difference is its standard deviation over the root of the number."""
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0, 10, 400)  # of the clips: it cancels, since the draws are paired
    results = np.stack([difficulty, difficulty + rng.normal(0.5, 1, 400), difficulty])
    seen = []

    def measure(rows):
        seen.append(len(rows))
        return results[:, rows].mean(-1, keepdims=True)

    (better,), (equal,) = paired_bootstrap(400, measure, draws=2000, seed=3)
    assert set(seen) == {400}
    difference = results[1] - results[0]
    half = 1.96 * difference.std() / math.sqrt(400)
    assert better.value == pytest.approx(difference.mean())
    assert [better.low, better.high] == pytest.approx([better.value - half, better.value + half], abs=0.02)
    assert equal.value == equal.low == equal.high == 0
    assert paired_bootstrap(400, measure, 2000, 3)[0][0] == better
    assert paired_bootstrap(400, measure, 2000, 4)[0][0] != better


def test_too_few():
    with pytest.raises(ValueError, match='two clips or more, got 1'):
        paired_bootstrap(1, lambda rows: np.zeros((2, 1)), unit='clips')
    with pytest.raises(ValueError, match='draws must be at least 100, got 99'):
        paired_bootstrap(2, lambda rows: np.zeros((2, 1)), draws=99)
