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
    """Return the geometric median over M by Weiszfeld's algorithm, (B, M, …, D) to (B, …, D)."""
    points = hypotheses.double()
    # minimum distance, which avoids infinite weights; 1e-9 of the spread does not affect the result
    floor = 1e-9 * points.std(dim=1, correction=0).norm(dim=-1).clamp_min(torch.finfo(points.dtype).tiny * 1e9)
    centre = points.mean(1)
    for _ in range(num_iterations):
        distance = torch.maximum((points - centre.unsqueeze(1)).norm(dim=-1), floor.unsqueeze(1))
        weight = (floor.unsqueeze(1) / distance).unsqueeze(-1)  # at most 1: for equal points, 1 / floor overflows
        centre = (weight * points).sum(1) / weight.sum(1)
    return centre.to(hypotheses.dtype)
