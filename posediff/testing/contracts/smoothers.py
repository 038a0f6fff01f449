"""Contract tests of all registered smoothers, plugins included; see posediff.smoothing.base."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.registry import SMOOTHERS
from posediff.testing.contracts.base import Contract

FPS = 30.0


def walk(frames: int, dtype: type = np.float64) -> np.ndarray:
    """Create a random walk (frames, 3, 2) with steps of standard deviation 20."""
    return np.random.default_rng(frames).normal(0, 20, (frames, 3, 2)).cumsum(axis=0).astype(dtype)


class SmootherContract(Contract):
    """Tests that run on every registered smoother."""

    registry = SMOOTHERS

    @pytest.mark.parametrize('dtype', [np.float32, np.float64])
    @pytest.mark.parametrize('frames', [1, 2, 5, 40])
    def test_keeps_shape_and_dtype(self, component, frames, dtype):
        values = walk(frames, dtype)
        before = values.copy()
        smooth = component(values, FPS)
        assert (smooth.shape, smooth.dtype) == (values.shape, values.dtype)
        assert np.isfinite(smooth).all()
        np.testing.assert_array_equal(values, before)

    def test_constants_are_kept_and_offsets_commute(self, component):
        values = walk(30)
        np.testing.assert_allclose(component(np.full((30, 2), 7.5), FPS), 7.5, rtol=1e-12)
        np.testing.assert_allclose(component(values + 500, FPS), component(values, FPS) + 500, rtol=1e-9)

    def test_noise_is_reduced(self, component):
        noise = np.random.default_rng(0).normal(size=(2000, 2))
        assert component(noise, FPS).std() < 0.8 * noise.std()

    def test_a_stream_in_parts_equals_one_call(self, component):
        @settings(max_examples=60, deadline=None)
        @given(parts=st.lists(st.integers(0, 40), min_size=1, max_size=6))
        def check(parts):
            values = walk(sum(parts) + 1)
            cuts = np.split(values, np.cumsum(parts))
            stream = component.stream(FPS)
            found = [*map(stream.push, cuts), stream.finish()]
            np.testing.assert_allclose(np.concatenate(found), component(values, FPS), atol=1e-9)

        check()

    def test_memory_is_bounded(self, component):
        stream = component.stream(FPS)
        returned = sum(len(stream.push(walk(10))) for _ in range(50))
        assert 500 - returned < 4 * FPS

    def test_values_that_are_not_finite_are_an_error(self, component):
        values = walk(9)
        values[4, 1, 0] = np.nan
        with pytest.raises(ValueError, match='frame 4 has a value that is not finite'):
            component(values, FPS)
        with pytest.raises(ValueError, match='fps must be positive, got 0'):
            component(walk(9), 0)
