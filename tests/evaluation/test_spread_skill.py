"""Error against spread: closed forms, and what does not change it."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posediff.evaluation.hypotheses import hypothesis_spread
from posediff.evaluation.spread_skill import error_to_spread, squared_error_of_mean, squared_spread


def drawn(seed, num, frames=3000, narrower=1.0):
    """Return hypotheses (M, T, 1, 3) that are ``narrower`` times too narrow, and the truth (T, 1, 3)."""
    generator = torch.Generator().manual_seed(seed)
    sample = torch.randn(num + 1, frames, 1, 3, generator=generator, dtype=torch.float64)
    return sample[1:] / narrower, sample[0]


def ratio(several, target):
    pair = squared_error_of_mean(several, target).mean(), squared_spread(several).mean()
    return error_to_spread(*map(float, pair), several.shape[-4])


@pytest.mark.parametrize('num', [2, 5, 50])
@pytest.mark.parametrize('narrower', [0.8, 1, 2, 4])
def test_a_sampler_that_is_f_times_too_narrow_has_its_closed_form(num, narrower):
    expected = math.sqrt((num * narrower**2 + 1) / (num + 1))
    assert ratio(*drawn(num, num, narrower=narrower)) == pytest.approx(expected, rel=0.04)


def test_values_by_hand():
    """Hypotheses at -5, 0 and 5 along x: variance 25 unbiased, 50/3 with division by M; the truth is 12 away."""
    several = torch.tensor([[-5.0, 0, 0], [0, 0, 0], [5, 0, 0]]).reshape(3, 1, 1, 3)
    target = torch.tensor([0.0, 12, 0]).reshape(1, 1, 3)
    assert squared_spread(several).item() == pytest.approx(25)
    assert hypothesis_spread(several).item() ** 2 == pytest.approx(50 / 3)
    assert squared_error_of_mean(several, target).item() == pytest.approx(144)
    assert error_to_spread(144, 25, 3) == pytest.approx(math.sqrt(144 / (4 / 3 * 25)))


@given(st.integers(0, 2**31 - 1), st.floats(0.01, 100), st.floats(-1000, 1000), st.integers(2, 6))
def test_order_place_and_unit_do_not_matter(seed, unit, shift, num):
    several, target = drawn(seed, num, frames=20)
    expected = ratio(several, target)
    assert ratio(several.flip(0), target) == pytest.approx(expected)
    assert ratio(unit * several + shift, unit * target + shift) == pytest.approx(expected, rel=1e-6)


def test_collapsed_and_exact_hypotheses():
    assert error_to_spread(3.0, 0.0, 5) == math.inf
    assert math.isnan(error_to_spread(0.0, 0.0, 5))
    assert error_to_spread(0.0, 2.0, 5) == 0


def test_one_hypothesis_has_no_spread():
    with pytest.raises(ValueError, match='needs M >= 2 of them, got M = 1'):
        squared_spread(torch.zeros(1, 4, 17, 3))
    with pytest.raises(ValueError, match='got M = 1'):
        error_to_spread(1.0, 1.0, 1)
    with pytest.raises(ValueError, match=r'must be \(…, M, T, K, 3\), got \(4, 17, 3\)'):
        squared_spread(torch.zeros(4, 17, 3))
