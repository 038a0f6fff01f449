"""Frame rate from time stamps."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.video.rate import best_rate

MS = 1e-3


def rate_of(*stretches: np.ndarray, headers: tuple[Fraction | None, ...] = (), unit: float = 1 / 90000) -> float | None:
    return best_rate(stretches, headers, unit, max_fps=1000)


@pytest.mark.parametrize('header', [Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(240)])
@pytest.mark.parametrize('unit', [1 / 90000, MS])
def test_a_header_that_fits_is_taken_as_it_is(header, unit):
    times = np.round(np.arange(400) / float(header) / unit) * unit
    assert rate_of(times, headers=(header,), unit=unit) == float(header)


def test_an_average_over_pauses_is_no_rate():
    times = np.concatenate([np.arange(60), 300 + np.arange(60)]) / 30
    assert rate_of(times, headers=(Fraction(120 * 30, 360),)) == 30
    assert rate_of(times, headers=(Fraction(2), Fraction(90000))) == 30


@pytest.mark.parametrize('header', [Fraction(1000), Fraction(90000), None])
def test_a_rate_that_says_how_fine_the_stamps_are_is_no_rate(header):
    rng = np.random.default_rng(0)
    steps = np.where(rng.random(200) < 0.2, 66.7, 33.3) + rng.uniform(-3, 3, 200)
    assert rate_of(np.cumsum(np.round(steps)) * MS, headers=(header,), unit=MS) == pytest.approx(30, rel=0.02)


@pytest.mark.parametrize('slow', [0.2, 0.5, 0.8])
def test_no_picture_of_a_phone_that_slows_down_in_the_dark_is_lost(slow):
    count = 200
    ticks = np.cumsum(np.where(np.arange(count) < slow * count, 2, 1))
    average = Fraction(int(count), int(ticks[-1])) * 30
    assert rate_of(ticks / 30, headers=(average,)) == 30


def test_stamps_that_give_no_rate():
    assert rate_of() is None
    assert rate_of(np.array([1.5])) is None
    assert rate_of(np.full(10, 2.0)) is None
    assert rate_of(np.arange(40) / 90000) is None
    assert rate_of(np.arange(40) / 25, 1000 + np.arange(40) / 25, headers=(Fraction(1, 9),)) == 25


@given(
    rate=st.sampled_from([10.0, 23.976, 29.97, 60.0]),
    skipped=st.lists(st.booleans(), min_size=60, max_size=200),
    header=st.sampled_from([None, Fraction(1000), Fraction(7, 2)]),
    start=st.floats(-10, 1e5),
)
@settings(max_examples=60)
def test_every_picture_of_a_grid_with_holes_gets_a_frame(rate, skipped, header, start):
    ticks = np.cumsum(1 + np.array(skipped) * (np.arange(len(skipped)) % 5 == 0))
    times = start + ticks / rate
    found = rate_of(times, headers=(header,))
    assert found == pytest.approx(rate, rel=1e-3)
    assert len(np.unique(np.rint((times - times[0]) * found))) == len(times)
