"""The block of FMPose3D: graph convolution and attention over joints in parallel, then a perceptron."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.layers.attention import JOINT_AXIS, AxisAttention
from posediff.models.layers.drop_path import DropPath
from posediff.models.layers.joint_messages import JointMessageConv
from posediff.structures.skeletons import Skeleton

EPS = 1e-6


class ParallelGraphAttentionBlock(nn.Module):
    """x + GCN(N1(x)) + attention(N2(x)), then x + perceptron(N3(x)); N1 normalises over joints, the others over C.

    Rates of dropout and the use of one draw of stochastic depth for both branches are those of the official code.

    Args:
        channels: C, a multiple of ``num_heads``.
        skeleton: Defines the K joints and their graph.
        num_heads: Heads of the attention.
        hidden_channels: Hidden width of the perceptron.
        attention_dropout, projection_dropout, mlp_dropout: Rates of dropout on the attention weights, on the output of
            the attention, and after both layers of the perceptron.
        drop_path_rate: Probability that a residual branch is dropped for a frame.
    """

    def __init__(
        self,
        channels: int,
        skeleton: Skeleton,
        num_heads: int,
        hidden_channels: int,
        attention_dropout: float = 0.0,
        projection_dropout: float = 0.0,
        mlp_dropout: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        super().__init__()
        self.graph_norm = nn.LayerNorm(skeleton.num_joints, eps=EPS)
        self.graph_conv = JointMessageConv(channels, skeleton)
        self.attention_norm = nn.LayerNorm(channels, eps=EPS)
        self.attention = AxisAttention(channels, num_heads, JOINT_AXIS, attention_dropout)
        self.mlp_norm = nn.LayerNorm(channels, eps=EPS)
        self.mlp_hidden = nn.Linear(channels, hidden_channels)
        self.mlp_output = nn.Linear(hidden_channels, channels)
        self.projection_dropout = nn.Dropout(projection_dropout)
        self.mlp_dropout = nn.Dropout(mlp_dropout)
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, T, K, C) to (N, T, K, C)."""
        messages = self.graph_conv(self.graph_norm(x.transpose(-1, -2)).transpose(-1, -2))
        attended = self.projection_dropout(self.attention(self.attention_norm(x)))
        x = x + self.drop_path(messages + attended, (0, 1))
        hidden = self.mlp_dropout(F.gelu(self.mlp_hidden(self.mlp_norm(x))))
        return x + self.drop_path(self.mlp_dropout(self.mlp_output(hidden)), (0, 1))
