"""Crops of followed persons that stay in place."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posediff.pose_estimation.steady_crops import steady_crops

ASPECT = 0.75


def crop(box):
    """Centre and height of the crop of a box."""
    left, top, right, bottom = box
    return np.array([(left + right) / 2, (top + bottom) / 2]), max(bottom - top, (right - left) / ASPECT)


@given(
    seed=st.integers(0, 2**32 - 1),
    tolerance=st.floats(0.01, 0.5),
    change=st.floats(0, 1),
)
def test_a_crop_is_kept_if_it_fits_and_replaced_if_not(seed, tolerance, change):
    rng = np.random.default_rng(seed)
    before = np.cumsum(rng.uniform(10, 100, (1, 2, 2)), axis=1).reshape(1, 4)
    wanted = before + change * tolerance * rng.uniform(-60, 60, (1, 4))
    wanted[:, 2:] = np.maximum(wanted[:, 2:], wanted[:, :2] + 1)
    (found,) = steady_crops(before, wanted, ASPECT, tolerance)
    (centre, height), (now, size) = crop(before[0]), crop(wanted[0])
    shift = np.abs(centre - now) / (height * np.array([ASPECT, 1]))
    fits = shift.max() <= tolerance and 1 / (1 + tolerance) <= size / height <= 1 + tolerance
    margin = min(abs(shift.max() - tolerance), abs(abs(np.log(size / height)) - np.log1p(tolerance)))
    if margin > 1e-9:
        np.testing.assert_array_equal(found, np.float32(before[0] if fits else wanted[0]))


def test_persons_without_a_crop_get_one():
    wanted = np.float32([[1, 2, 30, 40], [5, 5, 20, 30]])
    before = np.float32([[np.nan] * 4, [5, 5, 20, 31]])
    np.testing.assert_array_equal(steady_crops(before, wanted, ASPECT, 0.1), [wanted[0], before[1]])
    assert steady_crops(wanted[:0], wanted[:0], ASPECT, 0.1).shape == (0, 4)
