"""The transform that repeats the first or the last frame of the motion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.transforms import HeldFrames


def window(frames: int, seed: int) -> dict:
    numbers = np.arange(frames, dtype=np.float32)
    return {
        'joints_3d': numbers[:, None, None] + np.zeros((1, 17, 3), np.float32),
        'keypoints_2d': numbers[:, None, None] + np.zeros((1, 17, 2), np.float32),
        'keypoint_scores': numbers[:, None] + np.zeros((1, 17), np.float32),
        'keypoint_mask': numbers[:, None] + np.zeros((1, 17), np.float32),
        'rng': np.random.default_rng(seed),
    }


@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(1, 40), most=st.floats(0.05, 0.95))
def test_one_end_is_held_and_the_rest_is_as_it_was(seed, frames, most):
    results = HeldFrames(prob=1.0, most=most)(window(frames, seed))
    order = results['joints_3d'][:, 0, 0].astype(int)
    for name in ('keypoints_2d', 'keypoint_scores', 'keypoint_mask'):
        assert (results[name].reshape(frames, -1)[:, 0] == order).all()
    moved = order != np.arange(frames)
    assert moved.sum() <= most * frames
    assert not moved.any() or moved[0] != moved[-1]  # one end only
    assert set(order[moved]) <= {order.min(), order.max()}
    assert (np.diff(order) >= 0).all()


def test_probability():
    held = [
        (HeldFrames(prob=0.3)(window(20, seed))['joints_3d'][:, 0, 0] != np.arange(20)).any() for seed in range(500)
    ]
    assert 0.2 < np.mean(held) < 0.35  # with one in 17 of those chosen, nothing is held


@pytest.mark.parametrize(('options', 'message'), [({'prob': 1.5}, 'prob'), ({'most': 1.0}, 'most must be between')])
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        HeldFrames(**options)
