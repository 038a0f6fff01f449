"""Selection of the hypothesis in the densest region of the hypotheses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posediff.aggregation.base import BaseAggregator, Sample
from posediff.registry import AGGREGATORS
from posediff.structures.argument_checks import require_finite, require_one_of

JOINT_AXES = {'pose': 1, 'heatmap': 2}
"""Kind of hypothesis → last axes that belong to one joint: coordinates, or height and width."""


@AGGREGATORS.register_module()
class DensityAggregator(BaseAggregator):
    """Selection of the hypothesis with the greatest kernel density among the others, as an estimate of the mode.

    The density of hypothesis i is Σ_{j≠i} exp(-d_ij² / 2σ²) with the Euclidean distance d between the values of two
    hypotheses and σ² = ``bandwidth``² · mean of d_ij² over all pairs, which fits any unit. For a large bandwidth, this
    selects the hypothesis with the least mean square distance from the others (the medoid for squared distances).
    The mean of two modes lies between them, where no hypothesis is; the selection does not. Hypotheses of exactly equal
    density, in particular the only two, are averaged.

    Args:
        select: ``'joint'``: for every joint (and frame) separately. ``'whole'``: one hypothesis with all its joints and
            frames.
        state: Kind of hypotheses, needed for ``'joint'``: ``'pose'``, (B, M, …, K, D) with D = 2 or 3, or
            ``'heatmap'``, (B, M, K, H, W).
        bandwidth: σ relative to the root mean square distance of the hypotheses.
    """

    def __init__(self, select: str = 'joint', state: str = 'pose', bandwidth: float = 0.5) -> None:
        require_one_of(type(self).__name__, 'select', select, ('joint', 'whole'))
        require_one_of(type(self).__name__, 'state', state, JOINT_AXES)
        require_finite(type(self).__name__, {'bandwidth': bandwidth})
        if bandwidth <= 0:
            raise ValueError(f'{type(self).__name__}: bandwidth must be positive, got {bandwidth}')
        self.select, self.state, self.bandwidth = select, state, bandwidth

    def aggregate(self, hypotheses: Tensor, data_samples: Sequence[Sample] | None) -> Tensor:
        coordinates = hypotheses.shape[-1] in (2, 3)
        if hypotheses.ndim < 4 or coordinates != (self.state == 'pose'):
            wanted = '(B, M, …, K, D) with D = 2 or 3' if self.state == 'pose' else '(B, M, K, H, W)'
            raise ValueError(
                f'{type(self).__name__} with state={self.state!r} takes {wanted}, got {tuple(hypotheses.shape)}'
            )
        batch, count = hypotheses.shape[:2]
        if count == 1:
            return hypotheses[:, 0]
        own = hypotheses.shape[hypotheses.ndim - JOINT_AXES[self.state] :] if self.select == 'joint' else None
        size = hypotheses[0, 0].numel() if own is None else own.numel()
        # (B, groups, M, values)
        values = hypotheses.reshape(batch, count, -1, size).transpose(1, 2)
        values = values.to(torch.promote_types(values.dtype, torch.float32))
        with torch.autocast(values.device.type, enabled=False):  # products in bfloat16 would move the joints
            density = log_density(values, self.bandwidth)
            weight = (density == density.amax(-1, keepdim=True)).to(values.dtype)
            chosen = (weight / weight.sum(-1, keepdim=True)).unsqueeze(-2) @ values
        return chosen.reshape(batch, *hypotheses.shape[2:]).to(hypotheses.dtype)


def log_density(values: Tensor, bandwidth: float) -> Tensor:
    """Return the logarithm of the density of each hypothesis among the others, up to a constant.

    Args:
        values: (…, M, D), M at least 2.
        bandwidth: See :class:`DensityAggregator`.

    Returns:
        (…, M).
    """
    count = values.shape[-2]
    centred = values - values.mean(-2, keepdim=True)  # keeps precision in the difference below
    products = centred @ centred.mT
    products = (products + products.mT) / 2  # exactly symmetric, so that equal densities are equal
    squares = products.diagonal(dim1=-2, dim2=-1)
    distance = (squares.unsqueeze(-1) + squares.unsqueeze(-2) - 2 * products).clamp_min(0)
    itself = torch.eye(count, dtype=torch.bool, device=values.device)
    distance = distance.masked_fill(itself, 0)
    mean = distance.sum((-2, -1), keepdim=True) / (count * (count - 1))
    variance = (bandwidth**2 * mean).clamp_min(torch.finfo(values.dtype).tiny)
    return (-distance / (2 * variance)).masked_fill(itself, -torch.inf).logsumexp(-1)
