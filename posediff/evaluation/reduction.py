"""Means over what counts."""

from __future__ import annotations

import torch
from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor | None = None, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Mean of ``values`` where ``mask`` is nonzero, NaN where it is zero everywhere.

    Args:
        values: Any shape; entries that do not count may be NaN.
        mask: Broadcasts to ``values``; None counts everything.
        dim: Axes to average over, all by default.
    """
    axes = tuple(range(values.ndim)) if dim is None else dim
    if mask is None:
        return values.mean(axes)
    total, count = masked_sum(values, mask, axes)
    return total / count


def masked_sum(values: Tensor, mask: Tensor, dim: int | tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Sum of ``values`` where ``mask`` is nonzero, and how many entries that were (in the dtype of ``values``)."""
    counted = (mask != 0).expand_as(values)
    return torch.where(counted, values, 0.0).sum(dim), counted.to(values.dtype).sum(dim)
