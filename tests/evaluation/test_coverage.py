"""Coverage, calibration error and ranks: figures of perfect and of too narrow samplers, and what does not matter."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posediff.evaluation.coverage import (
    PROBABILITIES,
    axis_coverage,
    calibration_error,
    calibration_error_floor,
    expected_axis_coverage,
    expected_radial_coverage,
    radial_coverage,
    truth_ranks,
)

DEPTH = torch.tensor([1.0, 1.0, 3.0], dtype=torch.float64)
"""Standard deviation of each axis, as of lifters."""


def drawn(seed, num, frames=4000, narrower=1.0, joints=1):
    generator = torch.Generator().manual_seed(seed)
    sample = DEPTH * torch.randn(num + 1, frames, joints, 3, generator=generator, dtype=torch.float64)
    return sample[1:] / narrower, sample[0]


def ece(several, target):
    return calibration_error(radial_coverage(several, target).double().mean(0).numpy())


@pytest.mark.parametrize(('num', 'floor'), [(5, 0.137), (10, 0.076), (20, 0.038), (50, 0.016)])
def test_floor_of_a_perfect_sampler(num, floor):
    assert calibration_error_floor(num) == pytest.approx(floor, abs=0.006)
    assert ece(*drawn(num, num)) == pytest.approx(calibration_error_floor(num), abs=0.012)


@pytest.mark.parametrize(('narrower', 'expected'), [(4, 0.44), (2, 0.29), (0.8, 0.09)])
def test_calibration_error_of_samplers_of_wrong_width(narrower, expected):
    assert ece(*drawn(7, 100, narrower=narrower)) == pytest.approx(expected, abs=0.02)


def test_collapsed_hypotheses_have_the_largest_error():
    several, target = drawn(1, 20, 50)
    held = radial_coverage(several[:1].expand_as(several), target)
    assert not held.any()
    assert calibration_error(held.double().mean(0).numpy()) == pytest.approx(0.5)


@given(st.integers(0, 2**31 - 1), st.integers(2, 9))
def test_radial_coverage_is_numpys_median_and_quantile(seed, num):
    several, target = drawn(seed, num, frames=6, joints=2)
    centre = np.median(several, axis=0)
    radii = np.linalg.norm(several.numpy() - centre, axis=-1)
    distance = np.linalg.norm(target.numpy() - centre, axis=-1)
    expected = np.quantile(radii, PROBABILITIES, axis=0) > distance
    np.testing.assert_array_equal(np.moveaxis(expected, 0, -1), radial_coverage(several, target).numpy())


@given(st.integers(0, 2**31 - 1), st.integers(2, 40), st.floats(0.05, 0.95))
def test_axis_coverage_is_between_numpys_quantiles(seed, num, probability):
    several, target = drawn(seed, num, frames=6, joints=2)
    tails = (1 - probability) / 2, (1 + probability) / 2
    low, high = np.quantile(several.numpy(), tails, axis=0, method='weibull')
    expected = (low <= target.numpy()) & (target.numpy() <= high)
    np.testing.assert_array_equal(axis_coverage(several, target, probability).numpy(), expected)


@pytest.mark.parametrize('num', [5, 19, 20, 50])
@pytest.mark.parametrize('probability', [0.5, 0.9])
def test_a_perfect_sampler_covers_what_is_expected(num, probability):
    held = axis_coverage(*drawn(num, num, 10_000), probability).double().mean((0, 1))
    expected = expected_axis_coverage(num, probability)
    interpolation = 0.035 if (num, probability) == (5, 0.5) else 0
    assert held.tolist() == pytest.approx([expected + interpolation] * 3, abs=0.015)
    if num >= 19:
        assert expected == pytest.approx(probability)


def test_too_few_hypotheses_reach_their_range_only():
    assert expected_axis_coverage(5, 0.9) == pytest.approx(4 / 6)
    assert expected_axis_coverage(5, 0.5) == pytest.approx(0.5)


@pytest.mark.parametrize(('narrower', 'expected'), [(2, 0.589), (4, 0.319)])
def test_coverage_of_too_narrow_samplers(narrower, expected):
    """A normal truth is within 1.645 / f standard deviations with probability 0.589 (f = 2) and 0.319 (f = 4)."""
    held = axis_coverage(*drawn(2, 400, 4000, narrower), 0.9).double().mean()
    assert held.item() == pytest.approx(expected, abs=0.015)


def test_ranks():
    several = torch.tensor([1.0, 2, 3, 4]).reshape(4, 1, 1, 1).expand(4, 1, 5, 3)
    target = torch.tensor([0.0, 1.5, 3, 4, 9]).reshape(1, 5, 1).expand(1, 5, 3)
    assert truth_ranks(several, target).tolist() == [[0, 1, 2, 3, 4]]
    counts = torch.bincount(truth_ranks(*drawn(3, 4, 20_000)).flatten(), minlength=5) / 20_000
    assert counts.tolist() == pytest.approx([0.2] * 5, abs=0.012)
    narrow = torch.bincount(truth_ranks(*drawn(3, 4, 20_000, narrower=4)).flatten(), minlength=5) / 20_000
    assert narrow[0] > 0.35
    assert narrow[4] > 0.35
    assert truth_ranks(several, target + torch.tensor([9.0, 9.0, 0]), axis=0).tolist() == [[4] * 5]


@given(st.integers(0, 2**31 - 1), st.floats(0.1, 10), st.integers(2, 8))
def test_order_place_and_unit_do_not_matter(seed, unit, num):
    several, target = drawn(seed, num, frames=5)
    moved = unit * several.flip(0) + 64, unit * target + 64
    assert torch.equal(radial_coverage(several, target), radial_coverage(*moved))
    assert torch.equal(axis_coverage(several, target, 0.5), axis_coverage(*moved, 0.5))
    assert torch.equal(truth_ranks(several, target), truth_ranks(*moved))


@given(st.integers(0, 2**31 - 1), st.integers(2, 8))
def test_coverage_grows_with_probability(seed, num):
    several, target = drawn(seed, num, frames=5)
    assert (radial_coverage(several, target).int().diff(dim=-1) >= 0).all()
    assert (axis_coverage(several, target, 0.9) | ~axis_coverage(several, target, 0.5)).all()


def test_median_over_joints_and_pooled():
    grid = np.array(PROBABILITIES)
    joints = np.stack([grid, grid, 0 * grid])
    assert calibration_error(joints) == 0
    assert calibration_error(joints.mean(0), axis=None) == pytest.approx(1 / 6)


def test_the_floor_depends_little_on_the_shape():
    round_shape = calibration_error(expected_radial_coverage(20, depth_ratio=1.0), axis=None)
    assert calibration_error_floor(20) == pytest.approx(round_shape, abs=0.008)


def test_what_has_no_interval_is_refused():
    one, target = torch.zeros(1, 4, 17, 3), torch.zeros(4, 17, 3)
    for measure in (radial_coverage, truth_ranks, lambda *pair: axis_coverage(*pair, 0.5)):
        with pytest.raises(ValueError, match='got M = 1'):
            measure(one, target)
    with pytest.raises(ValueError, match='between 0 and 1, got 1'):
        expected_axis_coverage(5, 1)
    with pytest.raises(ValueError, match='got M = 1'):
        calibration_error_floor(1)
