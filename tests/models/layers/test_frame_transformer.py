"""The transformer with one token per frame, as a layer, a lifter and a denoiser."""

from __future__ import annotations

import pytest
import torch

from posediff.models.denoisers import TemporalTransformerDenoiser
from posediff.models.layers.frame_transformer import FrameTransformer
from posediff.models.lifters import TemporalTransformer
from posediff.testing import randomise

SIZES = {'channels': 16, 'depth': 2, 'num_heads': 2, 'mlp_ratio': 2.0}


def test_before_training_it_is_the_linear_shortcut():
    torch.manual_seed(0)
    network = FrameTransformer(7, 10, 6, **SIZES)
    x = torch.randn(3, 7, 10)
    torch.testing.assert_close(network(x), x @ network.shortcut.weight.T)


def test_frames_are_told_apart_and_influence_each_other():
    network = randomise(FrameTransformer(7, 10, 6, **SIZES)).eval()
    x = torch.randn(1, 7, 10)
    assert not torch.allclose(network(x.flip(1)), network(x).flip(1))
    changed = x.clone()
    changed[:, 6] += 1
    assert (network(changed) != network(x)).all()


def test_depth_is_checked():
    with pytest.raises(ValueError, match='depth must be at least 1; got 0'):
        FrameTransformer(7, 10, 6, **{**SIZES, 'depth': 0})


def test_lifter_shapes_and_errors():
    lifter = TemporalTransformer(in_channels=6, num_frames=5, hidden_channels=16, depth=1, num_heads=2)
    assert lifter(torch.randn(2, 5, 17, 6)).shape == (2, 5, 17, 3)
    with pytest.raises(ValueError, match='5 frames, 17 joints, 6 channels'):
        lifter(torch.zeros(2, 4, 17, 6))


def test_prepared_condition_equals_the_concatenated_input():
    denoiser = randomise(TemporalTransformerDenoiser(5, condition_channels=4, **SIZES)).eval()
    x_t, condition, time = torch.randn(2, 5, 17, 3), torch.randn(2, 5, 17, 4), torch.tensor([3, 40])
    frames = torch.cat([condition.flatten(2), x_t.flatten(2)], dim=-1)
    whole = denoiser.trunk(frames, denoiser.step_embedding(time)[:, None])
    torch.testing.assert_close(denoiser(x_t, time, condition).flatten(2), whole)
