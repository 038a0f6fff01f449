"""Mean and median of the hypotheses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posediff.aggregation.base import BaseAggregator, Sample
from posediff.registry import AGGREGATORS


@AGGREGATORS.register_module()
class MeanAggregator(BaseAggregator):
    """Mean of the hypotheses, for poses and heatmaps; used in DiffHPE, and called P-Agg in D3DP."""

    def aggregate(self, hypotheses: Tensor, data_samples: Sequence[Sample] | None) -> Tensor:
        return hypotheses.mean(1)


@AGGREGATORS.register_module()
class MedianAggregator(BaseAggregator):
    """Median of the hypotheses, robust against outliers.

    Args:
        kind: ``'coordinate'``: median of every value, for poses and heatmaps; for even M, the mean of the middle two.
            ``'geometric'``: for every joint, the point with the least sum of distances to the hypotheses, which is
            invariant to rotation; for poses.
        num_iterations: Iterations of Weiszfeld's algorithm for ``'geometric'``.
    """

    def __init__(self, kind: str = 'coordinate', num_iterations: int = 32) -> None:
        if kind not in ('coordinate', 'geometric'):
            raise ValueError(f"kind must be 'coordinate' or 'geometric', got {kind!r}")
        self.kind = kind
        self.num_iterations = num_iterations

    def aggregate(self, hypotheses: Tensor, data_samples: Sequence[Sample] | None) -> Tensor:
        if self.kind == 'geometric':
            return geometric_median(hypotheses, self.num_iterations)
        return coordinate_median(hypotheses)


def coordinate_median(hypotheses: Tensor) -> Tensor:
    """Return the median over M, (B, M, …) to (B, …); for even M, the mean of the middle two."""
    ordered = hypotheses.sort(dim=1).values
    num = hypotheses.shape[1]
    return (ordered[:, (num - 1) // 2] + ordered[:, num // 2]) / 2


def geometric_median(hypotheses: Tensor, num_iterations: int = 32) -> Tensor:
    """Return the geometric median over M by Weiszfeld's algorithm, (B, M, …, D) to (B, …, D).

    Where the iterate is one of the points, the plain algorithm would stay there; the step is that of the modified
    algorithm of Vardi and Zhang ("The multivariate L1-median and associated data depth", PNAS 2000). For M = 2, every
    point between the two is a geometric median; the result is their mean.
    """
    points = hypotheses.double()
    # points nearer than 1e-9 of the spread are the iterate itself
    floor = 1e-9 * points.std(dim=1, correction=0).norm(dim=-1, keepdim=True).unsqueeze(1)
    centre = points.mean(1)
    for _ in range(num_iterations):
        offset = points - centre.unsqueeze(1)
        distance = offset.norm(dim=-1, keepdim=True)
        here = distance <= floor
        nearest = distance.masked_fill(here, torch.inf).amin(1, keepdim=True).clamp_max(torch.finfo(points.dtype).max)
        weight = torch.where(here, 0.0, nearest / distance)  # 1 / distance in a unit in which it is at most 1
        step = (weight * offset).sum(1) / weight.sum(1).clamp_min(torch.finfo(points.dtype).tiny)
        pull = torch.where(here, 0.0, offset / distance).sum(1).norm(dim=-1, keepdim=True)
        multiplicity = here.sum(1)  # of points at the iterate, which keep it there if the others pull less
        moved = torch.where(pull > multiplicity, 1 - multiplicity / pull, 0.0)
        centre = centre + moved * step
    return centre.to(hypotheses.dtype)
