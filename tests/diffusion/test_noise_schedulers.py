"""Noise schedules against closed forms and the reference tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posediff.diffusion.noise_schedulers import (
    BetasNoiseScheduler,
    CosineNoiseScheduler,
    LinearNoiseScheduler,
    QuadraticNoiseScheduler,
)

STATES = [(4, 5, 3), (2, 6, 4)]  # (T, K, 3) and (K, H, W)


@pytest.mark.parametrize(
    ('name', 'scheduler'),
    [
        ('cosine', CosineNoiseScheduler(50, max_beta=0.5)),
        ('linear', LinearNoiseScheduler(50, 1e-4, 0.5)),
        ('quad', QuadraticNoiseScheduler(50, 1e-4, 0.5)),
    ],
)
def test_tables_equal_the_official_diffhpe_ones(name, scheduler, reference_data):
    table = torch.load(reference_data / 'diffhpe_cases' / 'schedules.pt', weights_only=True)[name]
    np.testing.assert_allclose(scheduler.beta, table['beta'], rtol=1e-12)
    np.testing.assert_allclose(scheduler.alpha_bar, table['alpha'], rtol=1e-12)


def test_uncapped_cosine_is_the_normalised_closed_form():
    scheduler = CosineNoiseScheduler(1000)
    u = np.arange(1, 999) / 1000
    f = np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2
    np.testing.assert_allclose(scheduler.alpha_bar[:998], f, rtol=1e-9)


@pytest.mark.parametrize('shift', [0.25, 4.0])
@pytest.mark.parametrize('kind', [CosineNoiseScheduler, LinearNoiseScheduler, QuadraticNoiseScheduler])
def test_a_shift_multiplies_the_ratio_of_noise_to_signal(kind, shift):
    plain, moved = kind(100), kind(100, shift=shift)
    ratio, expected = (((1 - s.alpha_bar) / s.alpha_bar).sqrt() for s in (moved, plain))
    np.testing.assert_allclose(ratio, shift * expected, rtol=1e-9)
    np.testing.assert_allclose(torch.cumprod(1 - moved.beta, 0), moved.alpha_bar, rtol=1e-9)
    sigma, sigma_plain = ratio / (1 + ratio), expected / (1 + expected)  # the form of flow matching
    np.testing.assert_allclose(sigma, shift * sigma_plain / (1 + (shift - 1) * sigma_plain), rtol=1e-9)
    # x_t of the shifted schedule is that of an x_0 divided by the shift, up to a factor
    x_0, epsilon, t = torch.randn(2, 3, 4), torch.randn(2, 3, 4), torch.tensor([10, 60])
    x_t, divided = moved.add_noise(x_0, epsilon, t), plain.add_noise(x_0 / shift, epsilon, t)
    factor = ((1 - moved.alpha_bar[t]) / (1 - plain.alpha_bar[t])).sqrt().float()[:, None, None]
    torch.testing.assert_close(x_t, factor * divided, rtol=1e-4, atol=1e-5)


def test_without_shift_tables_keep_every_bit():
    betas = np.linspace(0.01, 0.3, 20)
    scheduler = BetasNoiseScheduler(betas, shift=1.0)
    assert torch.equal(scheduler.beta, torch.as_tensor(betas))
    assert torch.equal(scheduler.alpha_bar, torch.cumprod(1 - scheduler.beta, 0))


@pytest.mark.parametrize('shift', [0.0, -1.0, float('inf')])
def test_a_senseless_shift_is_refused(shift):
    with pytest.raises(ValueError, match='shift must be'):
        CosineNoiseScheduler(10, shift=shift)


@given(
    t=st.integers(0, 49),
    kind=st.sampled_from(BetasNoiseScheduler.prediction_types),
    shape=st.sampled_from(STATES),
    seed=st.integers(0, 2**31),
)
def test_a_perfect_output_gives_back_x_0_and_epsilon(t, kind, shape, seed):
    scheduler = CosineNoiseScheduler(50, max_beta=0.5, prediction_type=kind)
    generator = torch.Generator().manual_seed(seed)
    x_0, epsilon = (torch.randn(2, *shape, generator=generator, dtype=torch.float64) for _ in range(2))
    timestep = torch.full((2,), t)
    x_t = scheduler.add_noise(x_0, epsilon, timestep)
    got_x_0, got_epsilon = scheduler.split(scheduler.target(x_0, epsilon, timestep), x_t, t)
    # add_noise works with a float32 table, and x_0 from epsilon divides by sqrt(alpha_bar) >= 0.01
    torch.testing.assert_close(got_x_0, x_0, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(got_epsilon, epsilon, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (lambda: BetasNoiseScheduler([]), 'non-empty'),
        (lambda: BetasNoiseScheduler([0.5, 1.0]), r'\(0, 1\).*1.0'),
        (lambda: LinearNoiseScheduler(0), 'at least 1, got 0'),
        (lambda: CosineNoiseScheduler(10, prediction_type='noise'), "prediction_type must be one of epsilon.*'noise'"),
        (lambda: LinearNoiseScheduler(10).alpha_bar_at(10), '10 is outside -1..9'),
    ],
)
def test_bad_values_are_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()
