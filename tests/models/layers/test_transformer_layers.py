"""Attention along an axis, stochastic depth, step embeddings."""

from __future__ import annotations

import math

import pytest
import torch

from posediff.models.layers.attention import (
    FRAME_AXIS,
    JOINT_AXIS,
    AxisAttention,
    TransformerBlock,
    attend_by_products,
    attend_fused,
)
from posediff.models.layers.drop_path import DropPath
from posediff.models.layers.timestep_embedding import SinusoidalStepEmbedding, TabulatedStepEmbedding


@pytest.mark.parametrize('axis', [FRAME_AXIS, JOINT_AXIS])
def test_attention_equals_torchs(axis: int) -> None:
    torch.manual_seed(0)
    ours = AxisAttention(8, 2, axis)
    theirs = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    theirs.in_proj_weight.data, theirs.in_proj_bias.data = ours.qkv.weight.data, ours.qkv.bias.data
    theirs.out_proj = ours.projection
    x = torch.randn(2, 3, 5, 8)
    sequences = x if axis == JOINT_AXIS else x.transpose(1, 2)
    expected = theirs(*(sequences.flatten(0, 1),) * 3, need_weights=False)[0].view(sequences.shape)
    torch.testing.assert_close(ours(x), expected if axis == JOINT_AXIS else expected.transpose(1, 2))


def test_both_kernels_agree() -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 5, 4, 7, 8).unbind(0)
    torch.testing.assert_close(attend_fused(query, key, value), attend_by_products(query, key, value))


@pytest.mark.parametrize(('axis', 'kept'), [(FRAME_AXIS, 2), (JOINT_AXIS, 1)])
def test_a_block_mixes_its_axis_only(axis: int, kept: int) -> None:
    torch.manual_seed(0)
    block, x = TransformerBlock(8, 2, 2.0, axis).eval(), torch.randn(2, 3, 5, 8)
    changed = x.clone()
    changed[0, 1, 2] += 1.0
    moved = (block(changed) - block(x)).abs().amax(dim=-1) > 0
    expected = torch.zeros(2, 3, 5, dtype=torch.bool)
    expected[0].select(kept - 1, 2 if kept == 2 else 1).fill_(True)
    assert torch.equal(moved, expected)


def test_attention_refuses_channels_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match='10 and 4'):
        AxisAttention(10, 4, FRAME_AXIS)


def test_drop_path_decides_per_sample() -> None:
    torch.manual_seed(0)
    branch = torch.ones(400, 5, 3, 2)
    kept = DropPath(0.25)(branch, sample_axes=(0, 2))
    assert torch.equal(kept, kept[:, :1, :, :1].expand_as(kept))
    values = kept[:, 0, :, 0]
    assert sorted(values.unique().tolist()) == pytest.approx([0.0, 1 / 0.75])
    assert (values == 0).float().mean() == pytest.approx(0.25, abs=5 * math.sqrt(0.25 * 0.75 / 1200))
    assert torch.equal(DropPath(0.25).eval()(branch), branch)


@pytest.mark.parametrize('rate', [-0.1, 1.0])
def test_drop_path_rate_is_checked(rate: float) -> None:
    with pytest.raises(ValueError, match=str(rate)):
        DropPath(rate)


@pytest.mark.parametrize('step', [-1, 50])
def test_steps_outside_the_table_are_named(step: int) -> None:
    with pytest.raises(ValueError, match=rf'timestep {step} is outside \[0, 50\)'):
        TabulatedStepEmbedding(50, 8)(torch.tensor([3, step]))


def test_table_is_the_formula() -> None:
    table = TabulatedStepEmbedding(3, 8).table
    for k in range(4):
        angle = 2 * 10 ** (4 * k / 3)
        assert table[2, k] == pytest.approx(math.sin(angle), abs=1e-3)
        assert table[2, 4 + k] == pytest.approx(math.cos(angle), abs=1e-3)


def test_sinusoid_separates_a_thousand_steps() -> None:
    embedding = SinusoidalStepEmbedding(32, 64)
    vectors = embedding(torch.arange(1000))
    assert torch.pdist(vectors).min() > 0


@pytest.mark.parametrize('channels', [2, 7])
@pytest.mark.parametrize('build', [lambda c: TabulatedStepEmbedding(5, c), lambda c: SinusoidalStepEmbedding(c, c)])
def test_odd_widths_are_refused(build, channels: int) -> None:
    with pytest.raises(ValueError, match=f'got {channels}'):
        build(channels)
