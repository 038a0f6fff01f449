"""Hand-written gradients against autograd's, and the statistics of dropout."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from posediff.models.layers.fused import gated_tanh, pair_max, relu_dropout


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()


def assert_same_function(ours, plain, x: Tensor) -> None:
    """Equal values, and equal gradients of a random linear form."""
    weights = torch.randn_like(plain(x))
    torch.testing.assert_close(ours(x), plain(x))
    (expected,) = torch.autograd.grad((plain(x) * weights).sum(), x)
    (actual,) = torch.autograd.grad((ours(x) * weights).sum(), x)
    torch.testing.assert_close(actual, expected)


def test_gated_tanh_is_twice_the_sigmoid_gate() -> None:
    def plain(x: Tensor) -> Tensor:
        gate, value = x.chunk(2, dim=-1)
        return 2 * torch.sigmoid(2 * gate) * torch.tanh(value)

    assert_same_function(gated_tanh, plain, noise(7, 10))


def test_pair_max_is_a_gathered_maximum() -> None:
    pairs = [(4, 0), (2, 3)]  # entry 1 is in no pair and takes no gradient

    def plain(x: Tensor) -> Tensor:
        return torch.stack([torch.maximum(x[first], x[second]) for first, second in pairs])

    x = noise(5, 6, 3)
    assert_same_function(lambda x: pair_max(x, pairs), plain, x)
    pair_max(x, pairs).sum().backward()
    assert x.grad[1].abs().max() == 0


def test_of_two_equal_values_the_first_takes_the_gradient() -> None:
    x = torch.ones(2, 1, 3, requires_grad=True)
    pair_max(x, [(0, 1)]).sum().backward()
    assert x.grad[:, 0, 0].tolist() == [1.0, 0.0]


def test_without_dropout_it_is_a_rectifier() -> None:
    assert_same_function(lambda x: relu_dropout(x, 0.0), torch.relu, noise(50, 3))


@settings(max_examples=20, deadline=None)
@given(rate=st.floats(0.01, 0.95), size=st.integers(1, 9))
def test_dropout_keeps_or_scales(rate: float, size: int) -> None:
    torch.manual_seed(0)
    x = torch.full((size, 3, 5), 2.0, requires_grad=True)
    result = relu_dropout(x, rate)
    kept = result[result != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 2.0 / (1 - rate)), rtol=1e-3, atol=0)
    result.sum().backward()
    torch.testing.assert_close(x.grad * 2.0, result.detach())  # the mask of the forward pass


@pytest.mark.parametrize('rate', [0.032, 0.27038, 0.5])
def test_dropout_rate_and_independence(rate: float) -> None:
    torch.manual_seed(0)
    size = 400_000
    dropped = (relu_dropout(torch.ones(size), rate) == 0).double()
    deviation = (rate * (1 - rate) / size) ** 0.5
    assert abs(dropped.mean() - rate) < 5 * deviation
    for lag in (1, 2, 3, 4):  # four neighbours share one random number
        together = (dropped[:-lag] * dropped[lag:]).mean()
        assert abs(together - rate**2) < 5 * deviation


def test_dropout_follows_the_seed() -> None:
    x = torch.rand(1000)
    torch.manual_seed(3)
    first = relu_dropout(x, 0.3)
    assert not torch.equal(relu_dropout(x, 0.3), first)
    torch.manual_seed(3)
    assert torch.equal(relu_dropout(x, 0.3), first)
