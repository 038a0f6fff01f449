"""Element-wise operations with explicit gradients.

Training small networks on a CPU is limited by memory bandwidth. For the backward pass, these functions save only
tensors that other layers save too.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

_WORD = 1 << 16  # one 16-bit random number per element


def relu_dropout(x: Tensor, rate: float) -> Tensor:
    """Return ``dropout(relu(x))``.

    On a CPU, one 64-bit random number is drawn for four elements, which is faster than a mask. The rate is then rounded
    to a multiple of 1/65536, and kept elements are scaled accordingly.

    Args:
        x: Any shape.
        rate: Probability that an element is dropped, in [0, 1).
    """
    return _ReluDropout.apply(x, rate)


def gated_tanh(x: Tensor) -> Tensor:
    """Return ``(1 + tanh(g)) * tanh(v)`` for the two halves g and v of the last axis.

    With g = gate / 2 this is ``2 * sigmoid(gate) * tanh(v)``; tanh is several times cheaper than sigmoid on a CPU.

    Args:
        x: (…, 2C).

    Returns:
        (…, C).
    """
    return _GatedTanh.apply(x)


def pair_max(x: Tensor, pairs: list[tuple[int, int]]) -> Tensor:
    """Return the element-wise maximum of pairs of entries of the first axis.

    Args:
        x: (K, R, C).
        pairs: P pairs of indices, each index at most once. For equal values, the first gets the gradient.

    Returns:
        (P, R, C).
    """
    return _PairMax.apply(x, pairs)


class _ReluDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rate: float) -> Tensor:
        result = torch.relu(x)
        if rate and x.device.type == 'cpu':
            threshold = round(rate * _WORD)
            rate = threshold / _WORD
            draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
            uniform = draws.view(torch.int16)[: x.numel()].view(x.shape).float()
            # integers in [-2^15, 2^15): those at or above the threshold become 1 / (1 - rate), the others 0
            result.mul_(uniform.sub_(threshold - _WORD // 2 - 1).clamp_(0.0, 1.0).mul_(1.0 / (1.0 - rate)))
        elif rate:
            result = F.dropout(result, rate)
        ctx.scale = 1.0 / (1.0 - rate)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (result,) = ctx.saved_tensors  # positive exactly where the input was positive and kept
        grad = torch.ops.aten.threshold_backward(grad, result, 0)
        return (grad if ctx.scale == 1.0 else grad.mul_(ctx.scale)), None


class _GatedTanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = torch.tanh(x)
        ctx.save_for_backward(x)
        gate, value = x.chunk(2, dim=-1)
        return torch.addcmul(value, gate, value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        gate, value = x.chunk(2, dim=-1)
        inner = torch.empty_like(x)
        grad_gate, grad_value = inner.chunk(2, dim=-1)
        torch.mul(grad, value, out=grad_gate)
        torch.addcmul(grad, grad, gate, out=grad_value)
        return torch.ops.aten.tanh_backward(inner, x, grad_input=inner)


class _PairMax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, pairs: list[tuple[int, int]]) -> Tensor:
        result = x.new_empty(len(pairs), *x.shape[1:])
        for pair, (first, second) in enumerate(pairs):
            torch.maximum(x[first], x[second], out=result[pair])
        ctx.save_for_backward(x)
        ctx.pairs = pairs
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        out = torch.zeros_like(x)
        for pair, (first, second) in enumerate(ctx.pairs):
            torch.mul(grad[pair], x[first] >= x[second], out=out[first])
            torch.sub(grad[pair], out[first], out=out[second])
        return out, None
