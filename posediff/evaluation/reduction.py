"""Masked means and sums."""

from __future__ import annotations

import torch
from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor | None = None, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Return the mean of ``values`` where ``mask`` is nonzero; NaN where it is zero everywhere.

    Args:
        values: Any shape; masked entries may be NaN.
        mask: Broadcasts to ``values``; None uses all entries.
        dim: Axes to average over; all by default.
    """
    axes = tuple(range(values.ndim)) if dim is None else dim
    if mask is None:
        return values.mean(axes)
    total, count = masked_sum(values, mask, axes)
    return total / count


def masked_sum(values: Tensor, mask: Tensor, dim: int | tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the sum of ``values`` where ``mask`` is nonzero, and the number of such entries (dtype of ``values``)."""
    counted = (mask != 0).expand_as(values)
    return torch.where(counted, values, 0.0).sum(dim), counted.to(values.dtype).sum(dim)
