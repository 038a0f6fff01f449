"""The fake device itself: it finds what a real one would stumble over or wait for, and its backward pass is torch's."""

from __future__ import annotations

import pytest
import torch
from torch import nn


def test_two_devices_in_one_operation_are_an_error(fake_cuda):
    with pytest.raises(RuntimeError, match='device'):
        torch.ones(3) * torch.ones(3, device='cuda')


def test_tensors_of_the_host_stay_real(fake_cuda):
    assert (torch.ones(3) + torch.tensor([1.0, 2.0, 3.0])).tolist() == [2.0, 3.0, 4.0]
    assert not fake_cuda.waits


@pytest.mark.parametrize(
    ('what', 'act'),
    [
        ('a value', lambda x: x.sum().item()),
        ('a value', lambda x: bool((x > 0).all())),
        ('a value', lambda x: x[:1].tolist()),
        ('a copy to the host', lambda x: x.cpu()),
        ('a copy to the host', lambda x: torch.zeros(3).copy_(x)),
        ('a copy to the device', lambda x: torch.ones(3).to(x.device)),
        ('a copy to the device', lambda x: torch.tensor([1.0, 2.0, 3.0], device=x.device)),
        ('a copy to the device', lambda x: torch.as_tensor([1.0, 2.0], device=x.device)),
        ('a copy to the device', lambda x: x.copy_(torch.ones(3))),
        ('a copy to the device', lambda x: x[[2, 0, 1]]),
        ('a copy of an index to the device', lambda x: x[torch.tensor([2, 0, 1])]),
        ('the outcome of a factorisation', lambda x: torch.linalg.inv(torch.outer(x, x))),
    ],
)
def test_a_wait_is_counted_where_it_is_asked_for(fake_cuda, what, act):
    x = torch.empty(3, device='cuda')
    fake_cuda.waits.clear()
    act(x)
    assert [wait.what for wait in fake_cuda.waits] == [what]
    assert fake_cuda.waits[0].where.endswith('test_fake_device.py:<lambda>')
    assert fake_cuda.unlisted([(fake_cuda.waits[0].where, 1)]) == []


@pytest.mark.parametrize('act', [lambda x: x.nonzero(), lambda x: x[x > 0], lambda x: x.unique()])
def test_a_shape_that_depends_on_values_is_an_error(fake_cuda, act):
    x = torch.empty(3, device='cuda')
    with pytest.raises(RuntimeError):
        act(x)


@pytest.mark.parametrize(
    'act',
    [
        lambda x: torch.ones(3).to(x.device, non_blocking=True) + x,
        lambda x: torch.full((3,), 2.0, device=x.device) * x.new_tensor(1.0).numel() + torch.randn_like(x),
        lambda x: x[torch.arange(3, device=x.device)] * torch.tensor(0.5),
    ],
)
def test_what_does_not_wait_is_not_counted(fake_cuda, act):
    x = torch.empty(3, device='cuda')
    fake_cuda.waits.clear()
    act(x)
    assert not [wait for wait in fake_cuda.waits if 'new_tensor' not in wait.where][1:]


def test_autocast_is_on(fake_cuda, tools):
    layer = nn.Linear(3, 3).to('cuda')
    for dtype in (torch.bfloat16, torch.float16):
        with tools.mixed_precision(dtype):
            assert layer(torch.empty(2, 3, device='cuda')).dtype == dtype


class Doubled(torch.autograd.Function):
    """2 x, of which the second argument is no tensor."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x * factor, x + 1

    @staticmethod
    def backward(ctx, grad, other):
        return grad * ctx.factor + other, None


def test_the_backward_pass_is_that_of_torch(tools):
    torch.manual_seed(0)
    layer, norm = nn.Linear(4, 6), nn.LayerNorm(3)

    def loss() -> torch.Tensor:
        first, second = layer(torch.arange(8.0).view(2, 4)).chunk(2, dim=1)
        doubled, _ = Doubled.apply(first, 2.0)
        return (norm(doubled) * second[:1] + first).square().mean() + layer.bias.sum()

    loss().backward()
    parameters = [*layer.parameters(), *norm.parameters()]
    expected = [parameter.grad.clone() for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    tools.backward(loss())
    assert all(torch.equal(parameter.grad, one) for parameter, one in zip(parameters, expected, strict=True))
