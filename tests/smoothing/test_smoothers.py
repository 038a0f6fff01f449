"""Smoothers against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from posediff.registry import SMOOTHERS
from posediff.smoothing import GaussianSmoother, OneEuroSmoother, SavitzkyGolaySmoother

TIME = np.arange(60) / 30


def test_savitzky_golay_keeps_polynomials_to_the_ends():
    cubic = np.stack([TIME**3 - 2 * TIME, 5 * TIME**2], -1)
    np.testing.assert_allclose(SavitzkyGolaySmoother(0.5, order=3)(cubic, 30), cubic, atol=1e-9)
    assert np.abs(SavitzkyGolaySmoother(0.5, order=1)(cubic, 30) - cubic).max() > 0.01


def test_a_gaussian_damps_a_sine_by_its_transfer_function():
    frequency, sigma = 2.0, 0.04
    time = np.arange(400) / 100
    sine = np.sin(2 * math.pi * frequency * time)
    expected = math.exp(-2 * (math.pi * frequency * sigma) ** 2) * sine
    np.testing.assert_allclose(GaussianSmoother(sigma)(sine, 100)[50:350], expected[50:350], atol=1e-3)


def test_one_euro_without_beta_is_exponential_smoothing():
    values = np.random.default_rng(0).normal(size=50)
    share = 1 / (1 + 30 / (2 * math.pi * 1.2))
    expected, state = [values[0]], values[0]
    for value in values[1:]:
        state = share * value + (1 - share) * state
        expected.append(state)
    np.testing.assert_allclose(OneEuroSmoother(1.2, 0.0)(values, 30), expected, rtol=1e-12)


def test_one_euro_lags_less_the_faster_it_goes():
    ramp = 1000.0 * TIME
    late, keen = (OneEuroSmoother(1.0, beta)(ramp, 30) for beta in (0.0, 0.01))
    assert 0 <= ramp[-1] - keen[-1] < 0.3 * (ramp[-1] - late[-1])


@pytest.mark.parametrize(
    ('config', 'said'),
    [
        ({'type': 'OneEuroSmoother', 'min_cutoff': 0}, 'cutoffs must be positive'),
        ({'type': 'OneEuroSmoother', 'beta': float('nan')}, 'beta must be a finite number'),
        ({'type': 'GaussianSmoother', 'sigma_s': -1.0}, 'sigma_s must be positive, got -1'),
        ({'type': 'SavitzkyGolaySmoother', 'window_s': 0}, 'window_s must be positive, got 0'),
        ({'type': 'SavitzkyGolaySmoother', 'order': 1.5}, 'order must be a whole number'),
    ],
)
def test_options_that_make_no_sense_are_refused(config, said):
    with pytest.raises(ValueError, match=said):
        SMOOTHERS.build(config)


def test_one_euro_takes_the_time_between_frames_into_account():
    """Twice the step is half the rate: what it gives is what a stream of half the rate gives."""
    values = np.random.default_rng(0).normal(size=(40, 3))
    steps = np.full(40, 2)
    found = OneEuroSmoother().stream(30).push(values, steps)
    np.testing.assert_array_equal(found, OneEuroSmoother().stream(15).push(values))
    even = OneEuroSmoother().stream(30).push(values, np.ones(40, int))
    np.testing.assert_array_equal(even, OneEuroSmoother()(values, 30))


def test_one_euro_follows_uneven_frames_like_even_ones():
    rng = np.random.default_rng(1)
    frames = np.cumsum(rng.integers(1, 5, 200))
    motion = np.sin(np.arange(frames[-1] + 1) / 30 * 4) * 300
    truth = OneEuroSmoother()(motion, 30)[frames]
    stream, uneven = OneEuroSmoother().stream(30), []
    for before, frame in zip([frames[0] - 1, *frames], frames, strict=False):
        uneven.append(stream.push(motion[[frame]], np.array([frame - before])))
    assert np.abs(np.concatenate(uneven) - truth)[50:].max() < 30
    blind = OneEuroSmoother()(motion[frames], 30)
    assert np.abs(np.concatenate(uneven) - truth)[50:].mean() < 0.3 * np.abs(blind - truth)[50:].mean()


@pytest.mark.parametrize('smoother', [GaussianSmoother(), SavitzkyGolaySmoother()])
def test_symmetric_filters_lay_left_out_frames_on_a_line(smoother):
    rng = np.random.default_rng(2)
    steps = rng.integers(1, 4, 60)
    steps[0] = 1
    frames = np.cumsum(steps) - 1
    values = rng.normal(size=(60, 2))
    even = np.stack([np.interp(np.arange(frames[-1] + 1), frames, column) for column in values.T], -1)
    expected = smoother(even, 30)[frames]
    for size in (1, 7, 60):
        stream = smoother.stream(30)
        parts = [stream.push(values[at : at + size], steps[at : at + size]) for at in range(0, 60, size)]
        np.testing.assert_allclose(np.concatenate([*parts, stream.finish()]), expected, atol=1e-9)
    with pytest.raises(ValueError, match='steps must be'):
        smoother.stream(30).push(values, np.zeros(60, int))
