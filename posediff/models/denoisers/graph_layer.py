"""The residual layer of the CT-GCN."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.layers.fused import gated_tanh, relu_dropout
from posediff.models.layers.graph_convolution import ChannelGraphConv, FrameGraphConv
from posediff.models.layers.non_local import JointNonLocal
from posediff.models.layers.normalization import RowBatchNorm
from posediff.structures.skeletons import Skeleton


class CTGCNLayer(nn.Module):
    """A residual layer: graph convolutions over frames and over channels, non-local over joints, gated output.

    Features are (K, T, N, C), joints first for the batched matrix products, so that both graph convolutions and all
    channel maps read memory in order without permutations.

    Args:
        channels: C.
        num_frames: T; the weights of the frame convolution depend on it.
        skeleton: Defines the graph.
        step_channels: Width of the step embedding.
        dropout: Rate after both graph convolutions.
        pooling_order: See :class:`JointNonLocal`.
    """

    gate_scale: Tensor

    def __init__(
        self,
        channels: int,
        num_frames: int,
        skeleton: Skeleton,
        step_channels: int,
        dropout: float,
        pooling_order: Sequence[int],
    ) -> None:
        super().__init__()
        self.step_projection = nn.Linear(step_channels, channels)
        self.frame_conv = FrameGraphConv(num_frames, num_frames, skeleton)
        self.frame_norm = nn.BatchNorm1d(num_frames)
        self.channel_conv = ChannelGraphConv(channels, channels, skeleton)
        self.channel_norm = RowBatchNorm(channels)
        self.non_local = JointNonLocal(channels, pooling_order)
        self.mid_projection = nn.Linear(channels, 2 * channels)
        self.output_projection = nn.Linear(channels, 2 * channels)
        self.dropout = dropout
        for linear in (self.mid_projection, self.output_projection):
            nn.init.kaiming_normal_(linear.weight)
        self.register_buffer('gate_scale', torch.ones(2, channels).mul_(torch.tensor([[0.5], [1.0]])).flatten(), False)

    def forward(self, x: Tensor, skips: Tensor, step_embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Refine the features.

        Args:
            x: (K, T, N, C).
            skips: (K * T * N, C), sum of the skip connections; that of this layer is added in place, without its bias
                (:meth:`skip_bias`).
            step_embedding: (N, step_channels) or (1, step_channels).

        Returns:
            The refined features, and ``skips``.
        """
        rate = self.dropout if self.training else 0.0
        joints, _, _, channels = x.shape
        y = (x + self.step_projection(step_embedding)).flatten(2)
        y = relu_dropout(self.frame_norm(self.frame_conv(y)), rate)
        y = self.channel_conv(y.view(joints, -1, channels)).flatten(0, 1)
        y = relu_dropout(self.channel_norm(y), rate)
        y = self.non_local(y.view(joints, -1, channels)).flatten(0, 1)
        # (1 + tanh(gate / 2)) tanh(value) = 2 sigmoid(gate) tanh(value): the factors are moved into the weights
        scale = self.gate_scale
        y = gated_tanh(F.linear(y, self.mid_projection.weight * scale[:, None], self.mid_projection.bias * scale))
        weight = self.output_projection.weight * 0.5
        sqrt_half = math.sqrt(0.5)
        residual = F.linear(y, sqrt_half * weight[:channels], sqrt_half * self.output_projection.bias[:channels])
        return torch.add(residual.view_as(x), x, alpha=sqrt_half), skips.addmm_(y, weight[channels:].t().to(y.dtype))

    def skip_bias(self) -> Tensor:
        """Return the bias (C,) of the skip connection."""
        return self.output_projection.bias[self.output_projection.out_features // 2 :]
