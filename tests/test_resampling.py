"""Frame rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.resampling import frame_positions, resample


@given(frames=st.integers(1, 60), fps=st.floats(1, 240), target=st.floats(1, 240))
def test_straight_motion_survives_the_way_there_and_back(frames, fps, target):
    grid, back = frame_positions(frames, fps, target)
    line = np.arange(frames, dtype=np.float64)[:, None] * [1.0, -2.0]
    assert len(back) == frames
    assert grid[0] == 0
    there = resample(line, grid)
    again = resample(there, back)
    np.testing.assert_allclose(again, line, atol=1e-6)


def test_a_rate_that_is_its_own_changes_nothing():
    grid, back = frame_positions(7, 30, 30)
    np.testing.assert_array_equal(grid, np.arange(7))
    np.testing.assert_array_equal(back, np.arange(7))


def test_twice_the_rate_reads_between_frames_and_masks_need_both_neighbours():
    grid, back = frame_positions(3, 25, 50)
    np.testing.assert_allclose(grid, [0, 0.5, 1, 1.5, 2])
    np.testing.assert_allclose(back, [0, 2, 4])
    np.testing.assert_allclose(resample(np.array([0.0, 10.0, 30.0], dtype=np.float32), grid), [0, 5, 10, 20, 30])
    assert resample(np.array([True, True, False]), grid).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize('rate', [0, -25, float('nan'), float('inf')])
def test_impossible_rates_are_named(rate):
    with pytest.raises(ValueError, match=f'fps must be positive, got {rate}'):
        frame_positions(3, rate, 50)
