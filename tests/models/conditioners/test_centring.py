"""Centred 2D joints."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from posediff.models.conditioners.centring import CENTRED_CHANNELS, centre_window


def window(seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 5, 17, 2, generator=torch.Generator().manual_seed(seed)) * 0.2 + 0.3


@given(shift=st.tuples(st.floats(-1, 1), st.floats(-1, 1)), scale=st.floats(0.2, 5), seed=st.integers(0, 100))
def test_place_and_size_are_told_apart_from_the_pose(shift, scale, seed):
    plain = centre_window(window(seed))
    moved = centre_window(window(seed) * scale + torch.tensor(shift))
    assert plain.shape == (2, 5, 17, CENTRED_CHANNELS)
    torch.testing.assert_close(moved[..., :2], plain[..., :2], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(moved[..., 2:4], plain[..., 2:4] * scale + torch.tensor(shift), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(moved[..., 4].exp(), plain[..., 4].exp() * scale, rtol=1e-3, atol=1e-3)


def test_the_result_is_centred_and_of_unit_size():
    centred = centre_window(window())[..., :2]
    torch.testing.assert_close(centred.mean((1, 2)), torch.zeros(2, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(centred.square().sum(-1).mean((1, 2)), torch.ones(2), atol=1e-5, rtol=0)


def test_omitted_joints_stay_at_zero_and_do_not_count():
    whole = window()
    some = whole.clone()
    some[:, :, 3] = 0
    centred = centre_window(some)
    assert bool((centred[:, :, 3, :2] == 0).all())
    others = [joint for joint in range(17) if joint != 3]
    torch.testing.assert_close(centred[:, :, others], centre_window(whole[:, :, others]))
    mask = torch.ones(2, 5, 17, 1)
    mask[:, :, 3] = 0
    torch.testing.assert_close(centre_window(torch.cat([some, mask], -1)), torch.cat([centred, mask], -1))


def test_a_window_without_any_joint_is_finite():
    assert bool(torch.isfinite(centre_window(torch.zeros(1, 5, 17, 2))).all())
