"""Dropout for training on a CPU, and stochastic depth."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_WORD = 1 << 16  # one 16-bit draw decides about one element


class Dropout(nn.Dropout):
    """Dropout whose mask costs a sixth of torch's on a CPU, where drawing it would dominate a small network.

    One 64-bit random number decides about four elements, so the rate is rounded to a multiple of 1/65536; the kept
    elements are scaled by the inverse of the exact rate. Draws from torch's generator. Elsewhere torch's own is used.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements of a tensor of any shape, in training mode only."""
        threshold = round(self.p * _WORD)
        if not self.training or threshold == 0:
            return x
        if x.device.type != 'cpu' or threshold == _WORD:
            return F.dropout(x, self.p, True)
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        uniform = draws.view(torch.int16)[: x.numel()].view(x.shape).float()
        # Integers in [-2^15, 2^15): those at or above the threshold become 1, the others 0.
        keep = uniform.sub_(threshold - _WORD // 2 - 1).clamp_(0.0, 1.0).mul_(_WORD / (_WORD - threshold))
        return x * keep.to(x.dtype)


class DropPath(nn.Module):
    """Stochastic depth: a residual branch is dropped for whole samples (Huang et al., ECCV 2016).

    Args:
        rate: Probability that a branch is dropped, in [0, 1).
    """

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        if not 0.0 <= rate < 1.0:
            raise ValueError(f'drop path rate must lie in [0, 1); got {rate}')
        self.rate = rate

    def forward(self, branch: Tensor, sample_axes: tuple[int, ...] = (0,)) -> Tensor:
        """Drop samples of ``branch``, scale the others by 1 / (1 - rate).

        Args:
            branch: Any shape.
            sample_axes: Axes that together index a sample; the decision is shared over the others.
        """
        if not self.training or self.rate == 0.0:
            return branch
        shape = [size if axis in sample_axes else 1 for axis, size in enumerate(branch.shape)]
        keep = torch.empty(shape, dtype=branch.dtype, device=branch.device).bernoulli_(1.0 - self.rate)
        return branch * keep.div_(1.0 - self.rate)

    def extra_repr(self) -> str:
        return f'rate={self.rate}'
