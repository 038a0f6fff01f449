"""Batch normalisation of rows against torch's."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from posediff.models.layers.normalization import RowBatchNorm, row_statistics


def pair(channels: int) -> tuple[RowBatchNorm, nn.BatchNorm1d]:
    torch.manual_seed(0)
    ours = RowBatchNorm(channels)
    for tensor in ours.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    theirs = nn.BatchNorm1d(channels)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs.double()


@pytest.mark.parametrize('rows', [2, 17, 97, 459])
def test_values_gradients_and_statistics(rows: int) -> None:
    ours, theirs = pair(4)
    x = (2 + torch.randn(rows, 4)).requires_grad_()
    exact = x.detach().double().requires_grad_()
    weights = torch.randn(rows, 4)
    actual, expected = ours(x), theirs(exact)
    (actual * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(actual.double(), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(x.grad.double(), exact.grad, rtol=1e-3, atol=1e-4)
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name].double(), value.double(), rtol=1e-5, atol=1e-5)
    for ours_parameter, their_parameter in zip(ours.parameters(), theirs.parameters()):
        torch.testing.assert_close(ours_parameter.grad.double(), their_parameter.grad, rtol=1e-4, atol=1e-4)


def test_eval_mode_is_torchs() -> None:
    ours, theirs = pair(4)
    x = torch.randn(9, 4)
    assert torch.equal(ours.eval()(x), theirs.float().eval()(x))


def test_statistics_keep_their_digits() -> None:
    torch.manual_seed(0)
    x = 2 + torch.randn(30_000, 16)
    mean, variance = row_statistics(x)
    torch.testing.assert_close(mean.double(), x.double().mean(dim=0), rtol=3e-7, atol=0)
    torch.testing.assert_close(variance.double(), x.double().var(dim=0, correction=0), rtol=3e-7, atol=0)


@given(rows=st.integers(2, 20_000), offset=st.floats(-100, 100), seed=st.integers(0, 2**16))
@example(rows=19_997, offset=2.0, seed=0)  # a prime
@example(rows=2 * 9_973, offset=2.0, seed=0)  # twice one
@example(rows=2, offset=-100.0, seed=0)
@settings(deadline=None, max_examples=30)
def test_statistics_keep_their_digits_whatever_the_number_of_rows(rows: int, offset: float, seed: int) -> None:
    x = offset + torch.randn(rows, 4, generator=torch.Generator().manual_seed(seed))
    mean, variance = row_statistics(x)
    exact = x.double()
    scale = exact.square().mean(dim=0).sqrt()
    assert ((mean - exact.mean(dim=0)).abs() <= 3e-7 * scale).all()
    spread = exact.var(dim=0, correction=0)
    assert ((variance - spread).abs() <= 1e-6 * spread + 3e-7 * spread.sqrt() * scale).all()


def test_one_row_has_no_variance() -> None:
    """As in torch: an error, and nothing that is not a number in the running statistics."""
    ours, theirs = pair(4)
    for norm in (ours, theirs.float()):
        with pytest.raises(ValueError, match='more than 1 value per channel'):
            norm(torch.randn(1, 4))
    assert ours.running_var.isfinite().all()
    assert ours.eval()(torch.randn(1, 4)).isfinite().all()


def test_half_precision_and_copies() -> None:
    norm = copy.deepcopy(RowBatchNorm(4)).bfloat16()
    assert norm(torch.randn(9, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert norm.num_batches_tracked == 1
