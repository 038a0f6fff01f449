"""Stochastic depth."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Stochastic depth: drops a residual branch for whole samples (Huang et al., ECCV 2016).

    Args:
        rate: Probability that a branch is dropped, in [0, 1).
    """

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        if not 0.0 <= rate < 1.0:
            raise ValueError(f'drop path rate must lie in [0, 1); got {rate}')
        self.rate = rate

    def forward(self, branch: Tensor, sample_axes: tuple[int, ...] = (0,)) -> Tensor:
        """Set random samples of ``branch`` to 0 and scale the others by 1 / (1 - rate).

        Args:
            branch: Any shape.
            sample_axes: Axes that index a sample; the decision is the same along the other axes.
        """
        if not self.training or self.rate == 0.0:
            return branch
        shape = [size if axis in sample_axes else 1 for axis, size in enumerate(branch.shape)]
        keep = torch.empty(shape, dtype=branch.dtype, device=branch.device).bernoulli_(1.0 - self.rate)
        return branch * keep.div_(1.0 - self.rate)

    def extra_repr(self) -> str:
        return f'rate={self.rate}'
