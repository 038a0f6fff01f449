"""Interpolation block by block against :func:`numpy.interp` over the whole series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.export import motion
from posediff.export.gap_filling import interpolated


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 12), st.floats(0, 1))
def test_blocks_give_what_numpy_gives(seed, frames, size, unknown):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(frames, 4, 3))
    values[rng.random((frames, 4)) < unknown] = np.nan
    values[rng.integers(frames), 1:3] = 1.0  # points 1 and 2 are known at least once
    numbers = np.arange(frames)
    expected = np.empty((frames, 2, 3))
    for place, point in enumerate((2, 1)):
        known = np.isfinite(values[:, point]).all(-1)
        for axis in range(3):
            expected[:, place, axis] = np.interp(numbers, numbers[known], values[known, point, axis])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(motion, 'BLOCK_FRAMES', size)
        blocks = list(interpolated(values, [2, 1]))
    assert [len(block) for block in blocks] == [min(size, frames - start) for start in range(0, frames, size)]
    np.testing.assert_allclose(np.concatenate(blocks), expected, rtol=0, atol=1e-12)
