"""Factors of the spread of hypotheses, against hypotheses whose spread is known."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posediff.evaluation.spread_factors import LEAST_FRAMES, SpreadSums
from posediff.evaluation.spread_skill import error_to_spread, squared_error_of_mean, squared_spread


def draw(widths: torch.Tensor, frames: int, number: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Truth and M hypotheses from one distribution, but the deviations of the hypotheses divided by ``widths`` (K,)."""
    generator = torch.Generator().manual_seed(seed)
    target, *drawn = torch.randn(1 + number, frames, len(widths), 3, generator=generator, dtype=torch.float64)
    hypotheses = torch.stack(drawn)
    mean = hypotheses.mean(0)
    return mean + (hypotheses - mean) / widths[:, None], target


@given(seed=st.integers(0, 2**16), number=st.integers(2, 12))
def test_the_factor_of_each_joint_is_found_observed_and_hidden(seed, number):
    widths = torch.tensor([1.0, 0.5, 3.0])
    sums = SpreadSums(3, root=0)
    for observed, change in ((True, 1.0), (False, 2.0)):
        hypotheses, target = draw(widths * change, 4000, number, seed)
        sums.add(hypotheses, target, torch.full((4000, 3), observed))
    factors = sums.factors(number)
    assert factors[:, 0].tolist() == [1, 1]
    torch.testing.assert_close(factors[:, 1:], widths[1:] * torch.tensor([[1.0], [2.0]]), rtol=0.06, atol=0)


def test_with_the_factors_error_and_spread_agree_exactly():
    hypotheses, target = draw(torch.tensor([1.0, 0.4, 2.0]), LEAST_FRAMES, 5, 0)
    sums = SpreadSums(3, root=0)
    observed = torch.ones(LEAST_FRAMES, 3, dtype=torch.bool)
    sums.add(hypotheses, target, observed)
    mean = hypotheses.mean(0)
    moved = mean + sums.factors(5)[0][:, None] * (hypotheses - mean)
    for joint in (1, 2):
        error, spread = squared_error_of_mean(moved, target)[:, joint], squared_spread(moved)[:, joint]
        assert error_to_spread(float(error.sum()), float(spread.sum()), 5) == pytest.approx(1, rel=1e-6)


def test_joints_with_few_frames_share_a_factor_and_those_without_any_keep_their_spread():
    hypotheses, target = draw(torch.tensor([1.0, 2.0, 4.0]), LEAST_FRAMES, 5, 0)
    observed = torch.ones(LEAST_FRAMES, 3, dtype=torch.bool)
    sums = SpreadSums(3, root=0)
    sums.add(hypotheses, target, observed)
    assert sums.factors(5)[1].tolist() == [1, 1, 1]
    observed[: LEAST_FRAMES // 2, 2] = False
    sums = SpreadSums(3, root=0)
    sums.add(hypotheses, target, observed)
    factors = sums.factors(5)
    assert float(factors[1, 1]) == float(factors[1, 2])  # all joints together, where they were hidden
    assert float(factors[0, 1]) < float(factors[0, 2]) < 4  # joint 2 has half of its frames: the factor of both


def test_equal_hypotheses_cannot_be_calibrated():
    sums = SpreadSums(2, root=0)
    sums.add(torch.zeros(4, 600, 2, 3), torch.ones(600, 2, 3), torch.ones(600, 2, dtype=torch.bool))
    with pytest.raises(ValueError, match='all equal'):
        sums.factors(4)
