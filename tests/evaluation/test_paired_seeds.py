"""The rule for verdicts on claims, against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.evaluation.paired_seeds import combined_verdict, paired_difference

ERRORS = st.floats(10, 200)
PAIRS = st.lists(st.tuples(ERRORS, ERRORS), min_size=2, max_size=6)


def test_mean_and_standard_error_of_three_seeds():
    found = paired_difference([51.0, 52.0, 53.0], [54.0, 54.0, 54.0])
    assert found.mean == pytest.approx(-2)
    assert found.standard_error == pytest.approx(1 / math.sqrt(3))  # deviation 1 with n - 1
    assert found.seeds == 3


@pytest.mark.parametrize(
    ('shift', 'verdict'),
    [(-1.2, 'holds'), (-1.1, 'not settled'), (0.0, 'not settled'), (1.1, 'not settled'), (1.2, 'does not hold')],
)
def test_the_verdict_changes_at_two_standard_errors(shift, verdict):
    """Differences -1, 0 and 1 around the shift have a standard error of 0.577, so the limits are ±1.155."""
    assert paired_difference([49 + shift, 50 + shift, 51 + shift], [50, 50, 50]).verdict == verdict


def test_seeds_are_paired():
    """Seeds that differ by 20 mm do not hide a difference of 1 mm that every seed has."""
    assert paired_difference([49, 69, 89], [50, 70, 90]).verdict == 'holds'


def test_one_seed_and_equal_models_settle_nothing():
    alone = paired_difference([40], [60])
    assert (alone.mean, alone.seeds, alone.verdict) == (-20, 1, 'not settled')
    assert math.isnan(alone.standard_error)
    assert paired_difference([50, 60], [50, 60]).verdict == 'not settled'


def test_margin():
    """1 % worse than 100 is within a margin of 2 %, and 3 % is not."""
    assert paired_difference([101, 101.1, 100.9], [100, 100, 100]).verdict == 'does not hold'
    assert paired_difference([101, 101.1, 100.9], [100, 100, 100], margin=0.02).verdict == 'holds'
    assert paired_difference([103, 103.1, 102.9], [100, 100, 100], margin=0.02).verdict == 'does not hold'


@given(PAIRS)
def test_exchanging_the_models_reverses_the_verdict(pairs):
    first, second = zip(*pairs, strict=True)
    there, back = paired_difference(first, second), paired_difference(second, first)
    assert back.mean == pytest.approx(-there.mean)
    assert back.standard_error == pytest.approx(there.standard_error)
    opposite = {'holds': 'does not hold', 'does not hold': 'holds', 'not settled': 'not settled'}
    assert back.verdict == opposite[there.verdict]


@given(PAIRS, st.randoms())
def test_the_order_of_the_seeds_does_not_matter(pairs, random):
    mixed = random.sample(pairs, len(pairs))
    found, again = (paired_difference(*np.transpose(order)) for order in (pairs, mixed))
    assert again.mean == pytest.approx(found.mean, abs=1e-9)
    assert again.standard_error == pytest.approx(found.standard_error, abs=1e-9)


@pytest.mark.parametrize(
    ('first', 'second', 'margin', 'message'),
    [
        ([], [], 0, 'same seeds, got 0 and 0'),
        ([1.0], [1.0, 2.0], 0, 'got 1 and 2'),
        ([math.nan], [1.0], 0, 'finite'),
        ([1.0], [1.0], -0.1, 'margin must not be negative, got -0.1'),
    ],
)
def test_refused_input(first, second, margin, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(first, second, margin)


@pytest.mark.parametrize(
    ('parts', 'verdict'),
    [
        (['holds', 'holds'], 'holds'),
        (['holds', 'not settled'], 'not settled'),
        (['holds', 'does not hold'], 'does not hold'),
        (['not settled', 'does not hold'], 'does not hold'),
    ],
)
def test_combined_verdict(parts, verdict):
    assert combined_verdict(parts) == combined_verdict(reversed(parts)) == verdict


def test_a_claim_without_comparison_is_refused():
    with pytest.raises(ValueError, match='at least one comparison'):
        combined_verdict([])
