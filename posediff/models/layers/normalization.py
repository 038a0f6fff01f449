"""Batch normalisation of rows with statistics that stay accurate for many rows."""

from __future__ import annotations

import functools
import math
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class RowBatchNorm(nn.BatchNorm1d):
    """``nn.BatchNorm1d`` for (R, C).

    For this layout, torch's CPU kernel accumulates all rows in one float32, and mean and variance lose a digit at a few
    thousand rows. Here, groups of rows are accumulated separately. In all other respects (parameters, running
    statistics, results, the error for a single row, ``SyncBatchNorm.convert_sync_batchnorm``) it behaves like
    ``nn.BatchNorm1d``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (R, C) over its rows."""
        summed_here = x.device.type == 'cpu' and x.dtype == torch.float32 and len(x) > 1
        if not self.training or not summed_here or self.momentum is None:
            return super().forward(x)
        with torch.no_grad():
            mean, variance = row_statistics(x)
            cast(Tensor, self.running_mean).lerp_(mean, self.momentum)
            cast(Tensor, self.running_var).lerp_(variance * (len(x) / (len(x) - 1)), self.momentum)
            cast(Tensor, self.num_batches_tracked).add_(1)
        return _NormaliseRows.apply(x, self.weight, self.bias, mean, variance, self.eps)


def row_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and biased variance (C,) of the rows of a contiguous tensor (R, C)."""
    groups = _num_groups(len(x))
    left = len(x) % groups
    means, variances = (
        part.view(groups, -1)
        for part in torch.batch_norm_update_stats(x[: len(x) - left].view(-1, groups * x.shape[1]), None, None, 0.0)
    )
    mean = means.mean(dim=0)
    variance = variances.mean(dim=0) + (means - mean).square_().mean(dim=0)
    if left == 0:
        return mean, variance
    # the remaining rows, fewer than the square root of R, are merged with their weight (Chan et al. 1979)
    share = left / len(x)
    last_mean, last_variance = torch.batch_norm_update_stats(x[-left:], None, None, 0.0)
    step = last_mean - mean
    joined = torch.lerp(variance, last_variance, share) + share * (1 - share) * step.square()
    return mean + share * step, joined


@functools.lru_cache(maxsize=64)
def _num_groups(rows: int) -> int:
    """Return the number of groups into which R = ``rows`` are divided.

    It is the largest divisor of R up to √R, so that no rows remain; or ⌊√R⌋ if that divisor is less than half of it.
    """
    root = math.isqrt(rows)
    divisor = max(number for number in range(1, root + 1) if rows % number == 0)
    return divisor if 2 * divisor >= root else root


class _NormaliseRows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.eps = eps
        return F.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance = ctx.saved_tensors
        scale = (variance + ctx.eps).rsqrt()
        parts = torch.ops.aten.native_batch_norm_backward(
            grad, x, weight, None, None, mean, scale, True, ctx.eps, [True, True, True]
        )
        return *parts, None, None, None
