"""Self-attention and transformer blocks along one axis of a clip."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.layers.drop_path import DropPath
from posediff.models.layers.row_blocks import in_row_blocks

FRAME_AXIS, JOINT_AXIS = 1, 2


class AxisAttention(nn.Module):
    """Multi-head self-attention over the frames or the joints of a clip.

    The linear layers work on the layout of the clip; only queries, keys and values are permuted.

    Args:
        channels: C, a multiple of ``num_heads``.
        num_heads: Number of heads.
        axis: :data:`FRAME_AXIS` or :data:`JOINT_AXIS`.
        dropout: Rate of dropout on the attention weights, in training.
    """

    def __init__(self, channels: int, num_heads: int, axis: int, dropout: float = 0.0) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f'channels must be a multiple of num_heads; got {channels} and {num_heads}')
        self.num_heads = num_heads
        self.axis = axis
        self.dropout = dropout
        self.qkv = nn.Linear(channels, 3 * channels)
        self.projection = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, K, C) to (B, T, K, C)."""
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))
        # (3, B, kept axis, heads, attended axis, head width)
        order = (3, 0, 1, 4, 2, 5) if self.axis == JOINT_AXIS else (3, 0, 2, 4, 1, 5)
        query, key, value = qkv.permute(order).unbind(0)
        if self.training and self.dropout > 0:
            attended = attend_by_products(query, key, value, self.dropout)
        else:
            attend = attend_by_products if x.device.type == 'cpu' else attend_fused
            attended = attend(query, key, value)
        back = (0, 1, 3, 2, 4) if self.axis == JOINT_AXIS else (0, 3, 1, 2, 4)
        return self.projection(attended.permute(back).flatten(-2))


def attend_by_products(query: Tensor, key: Tensor, value: Tensor, dropout: float = 0.0) -> Tensor:
    """Compute attention over the second to last axis of (…, length, width) with two matrix products.

    On a CPU, the backward pass is faster than that of the fused kernel for sequences of a few dozen. ``dropout`` is the
    rate of dropout on the attention weights.
    """
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
    return F.dropout(scores.softmax(dim=-1), dropout) @ value


def attend_fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Compute attention of (B, S, heads, length, width) with the fused kernel of torch, which needs four axes."""
    rows = (query.flatten(0, 1), key.flatten(0, 1), value.flatten(0, 1))
    return in_row_blocks(F.scaled_dot_product_attention, *rows).unflatten(0, query.shape[:2])


class TransformerBlock(nn.Module):
    """A pre-norm transformer block along one axis: attention, then a two-layer perceptron with exact GELU.

    Args:
        channels: C.
        num_heads: Number of heads.
        mlp_ratio: Hidden width of the perceptron relative to C.
        axis: :data:`FRAME_AXIS` or :data:`JOINT_AXIS`.
        drop_path_rate: Probability that a residual branch is dropped for a sequence.
    """

    def __init__(self, channels: int, num_heads: int, mlp_ratio: float, axis: int, drop_path_rate: float = 0.0) -> None:
        super().__init__()
        hidden = int(channels * mlp_ratio)
        self.attention_norm = nn.LayerNorm(channels, eps=1e-6)
        self.attention = AxisAttention(channels, num_heads, axis)
        self.mlp_norm = nn.LayerNorm(channels, eps=1e-6)
        self.mlp_hidden = nn.Linear(channels, hidden)
        self.mlp_output = nn.Linear(hidden, channels)
        self.drop_path = DropPath(drop_path_rate)
        # stochastic depth is drawn per sequence: for each frame (or joint) of each clip
        self.sample_axes = (0, 1) if axis == JOINT_AXIS else (0, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, K, C) to (B, T, K, C)."""
        x = x + self.drop_path(self.attention(self.attention_norm(x)), self.sample_axes)
        hidden = F.gelu(self.mlp_hidden(self.mlp_norm(x)))
        return x + self.drop_path(self.mlp_output(hidden), self.sample_axes)
