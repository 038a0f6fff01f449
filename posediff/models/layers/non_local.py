"""Non-local layer over joints: every joint attends to pooled pairs of joints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.layers.fused import pair_max
from posediff.models.layers.normalization import RowBatchNorm

# Left and right counterparts are adjacent and are pooled in pairs from the start. One group has three joints (thorax,
# neck, head), so later pairs combine different groups, and joint 14 remains and is never a key. Trained DiffHPE weights
# depend on this order.
_HUMAN36M_ORDER = (2, 3, 5, 6, 1, 4, 0, 7, 8, 9, 10, 15, 16, 12, 13, 11, 14)
POOLING_ORDER: dict[str, tuple[int, ...]] = {
    'h36m17': _HUMAN36M_ORDER,
    'cmu17': _HUMAN36M_ORDER,  # same joint names and order as h36m17
    'mediapipe17': _HUMAN36M_ORDER,
}


class JointNonLocal(nn.Module):
    """The concatenation form of the non-local block, with joints as queries and pairs of joints as keys.

    ``z_i = x_i + BN(W (1/P) sum_p relu(a_i + b_p) g_p)`` with scalars ``a_i = w_a . theta(x_i)`` and
    ``b_p = w_b . max_pool(phi(x))_p``, values ``g`` pooled alike over P = K // 2 pairs, no softmax (Wang et al.,
    "Non-local Neural Networks", CVPR 2018, eq. 5; SemGCN's graph version). Identity at initialisation.

    Args:
        channels: Width of the features; queries, keys and values have half of it.
        pooling_order: Permutation of the K joints; joints (order[0], order[1]) are the first pair, and so on. For odd
            K, the last joint is a query only.
    """

    def __init__(self, channels: int, pooling_order: Sequence[int]) -> None:
        super().__init__()
        inner = channels // 2
        if inner < 1:
            raise ValueError(f'a non-local layer halves its channels; got channels={channels}')
        self.query = nn.Linear(channels, inner)
        self.key = nn.Linear(channels, inner)
        self.value = nn.Linear(channels, inner)
        self.score = nn.Linear(2 * inner, 1, bias=False)
        self.output = nn.Linear(inner, channels)
        self.norm = RowBatchNorm(channels)
        if sorted(pooling_order) != list(range(len(pooling_order))):
            raise ValueError(f'pooling_order must name every joint once; got {tuple(pooling_order)}')
        self.pairs = list(zip(pooling_order[0::2], pooling_order[1::2], strict=False))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise the weights as in the DiffHPE code; the normalisation is 0, so that the layer is the identity."""
        for linear in (self.query, self.key, self.value, self.score, self.output):
            nn.init.kaiming_normal_(linear.weight)
            if linear.bias is not None:
                nn.init.zeros_(linear.bias)
        nn.init.zeros_(self.norm.weight)
        nn.init.zeros_(self.norm.bias)

    def query_map(self) -> tuple[Tensor, Tensor]:
        """Return the linear map from x_i to the scalar a_i: weight (1, channels) and bias (1,)."""
        score = self.score.weight[:, : self.query.out_features]
        return score @ self.query.weight, score @ self.query.bias

    def key_value_map(self) -> tuple[Tensor, Tensor]:
        """Return the linear map to keys and values: weight (2 * inner, channels) and bias (2 * inner,)."""
        return (
            torch.cat([self.key.weight, self.value.weight]),
            torch.cat([self.key.bias, self.value.bias]),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (K, R, C) to (K, R, C)."""
        keys, values = pair_max(F.linear(x, *self.key_value_map()), self.pairs).chunk(2, dim=-1)
        query_score = F.linear(x, *self.query_map()).squeeze(-1)
        key_score = keys @ self.score.weight[0, keys.shape[-1] :]
        attended = attend_by_sum(query_score, key_score, values)
        return x + self.norm(self.output(attended).flatten(0, 1)).view_as(x)


def attend_by_sum(query_score: Tensor, key_score: Tensor, values: Tensor) -> Tensor:
    """Return ``y_i = (1/P) sum_p relu(a_i + b_p) g_p`` for every row.

    Args:
        query_score: (K, R) scalars a.
        key_score: (P, R) scalars b.
        values: (P, R, C) values g.

    Returns:
        (K, R, C).
    """
    # rows first and contiguous: otherwise the batched product is computed in a loop over rows
    query_score, key_score = query_score.t().contiguous(), key_score.t().contiguous()
    weights = F.relu(query_score.unsqueeze(2) + key_score.unsqueeze(1)) / key_score.shape[1]
    return torch.bmm(weights, values.transpose(0, 1)).transpose(0, 1).contiguous()
