"""Intervals of a path, on tables and on continuous paths."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.diffusion.noise_schedulers import CosineNoiseScheduler, CosinePath, LinearPath
from posediff.models.time_grid import TimeGrid

CPU = torch.device('cpu')
PATHS = [LinearPath(), CosinePath(), CosineNoiseScheduler(50)]


@pytest.mark.parametrize('path', PATHS, ids=lambda path: type(path).__name__)
@given(st.integers(1, 50), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_intervals_lead_from_noise_to_the_clean_signal_and_contain_their_times(path, number, seed):
    grid, pairs = TimeGrid(path, number, CPU), path.walk(number)
    assert float(grid.times[0]) == path.start
    assert grid.ends_clean.tolist() == [False] * (number - 1) + [True]
    assert (float(grid.next_signal[-1]), float(grid.next_noise[-1])) == (1, 0)
    torch.testing.assert_close(grid.signal[1:], grid.next_signal[:-1])
    torch.testing.assert_close(grid.noise[1:], grid.next_noise[:-1])
    torch.testing.assert_close(grid.times[1:], grid.next_times[:-1])
    drawn = path.draw_timesteps(40, CPU, torch.Generator().manual_seed(seed))
    for time, interval in zip(drawn.tolist(), grid.interval_of(drawn).tolist(), strict=True):
        begin, end = pairs[interval]
        assert begin <= time < end or begin >= time > end
    lengths = [path.sigma(begin) - path.sigma(end) for begin, end in pairs]
    torch.testing.assert_close(grid.weight * torch.tensor(lengths), torch.full((number,), sum(lengths) / number))


def test_weights_are_1_on_a_uniform_linear_path():
    torch.testing.assert_close(TimeGrid(LinearPath(), 40, CPU).weight, torch.ones(40))


def test_a_table_has_no_more_intervals_than_steps():
    with pytest.raises(ValueError, match=r'must be in 1\.\.50, got 51'):
        TimeGrid(CosineNoiseScheduler(50), 51, CPU)
