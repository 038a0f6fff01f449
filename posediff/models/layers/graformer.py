"""The layers of GraFormer: attention over joints, a learned graph, and Chebyshev graph convolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.layers.attention import JOINT_AXIS, AxisAttention
from posediff.models.layers.chebyshev import ChebyshevConv
from posediff.structures.skeletons import Skeleton

SMALLEST_DEGREE = 0.1


class SampleStdNorm(nn.Module):
    """Layer normalisation by the unbiased standard deviation, to which eps is added.

    ``nn.LayerNorm`` divides by the root of the biased variance plus eps; weights of the released code need this one.

    Args:
        channels: C.
        eps: Added to the standard deviation.
    """

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (…, C) over C."""
        std, mean = torch.std_mean(x, dim=-1, keepdim=True)
        return self.weight * (x - mean) / (std + self.eps) + self.bias


class LearnedGraphPerceptron(nn.Module):
    """Two linear maps, each after mixing the joints with one learned graph A: D^-½ A D^-½, with D the column sums of A.

    Column sums below :data:`SMALLEST_DEGREE` count as this value; in the released code, results grow without limit
    towards 0, and there are none for negative sums. Training starts at 1.

    Args:
        channels: C; the hidden width is 2C.
        num_joints: K.
    """

    def __init__(self, channels: int, num_joints: int) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(torch.eye(num_joints))
        self.hidden = nn.Linear(channels, 2 * channels)
        self.output = nn.Linear(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, K, C) to (…, K, C)."""
        scale = (self.adjacency.sum(dim=0).clamp(min=SMALLEST_DEGREE) + 1e-5).rsqrt()
        mixing = (scale[:, None] * self.adjacency * scale).to(x.dtype)
        return self.output(mixing @ F.relu(self.hidden(mixing @ x)))


class ResidualChebyshev(nn.Module):
    """x + two Chebyshev convolutions, each with ReLU and dropout; the embedded step is added between them.

    Args:
        channels: C.
        skeleton: Defines the K joints and their graph.
        step_channels: Width of the step embedding; None: no step.
        dropout: Rate of dropout.
    """

    def __init__(self, channels: int, skeleton: Skeleton, step_channels: int | None, dropout: float) -> None:
        super().__init__()
        self.first = ChebyshevConv(channels, channels, skeleton)
        self.second = ChebyshevConv(channels, channels, skeleton)
        self.step = None if step_channels is None else nn.Linear(step_channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, step: Tensor | None = None) -> Tensor:
        """Map (N, T, K, C) to (N, T, K, C); ``step`` (N, step_channels) or (1, step_channels)."""
        hidden = self.dropout(F.relu(self.first(x)))
        if self.step is not None and step is not None:
            hidden = hidden + self.step(F.silu(step))[:, None, None]
        return x + self.dropout(F.relu(self.second(hidden)))


class GraFormerBlock(nn.Module):
    """x + attention(N1(x)), x + perceptron on a learned graph(N2(x)), then :class:`ResidualChebyshev`.

    Args:
        channels: C, a multiple of ``num_heads``.
        skeleton: Defines the K joints and their graph.
        num_heads: Heads of the attention.
        step_channels: See :class:`ResidualChebyshev`.
        dropout: Rate of dropout on the outputs of attention and perceptron.
        attention_dropout: Rate of dropout on the attention weights.
        conv_dropout: Rate of dropout after each Chebyshev convolution.
    """

    def __init__(
        self,
        channels: int,
        skeleton: Skeleton,
        num_heads: int,
        step_channels: int | None = None,
        dropout: float = 0.25,
        attention_dropout: float = 0.1,
        conv_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.attention_norm = SampleStdNorm(channels)
        self.attention = AxisAttention(channels, num_heads, JOINT_AXIS, attention_dropout)
        self.graph_norm = SampleStdNorm(channels)
        self.graph = LearnedGraphPerceptron(channels, skeleton.num_joints)
        self.dropout = nn.Dropout(dropout)
        self.convolution = ResidualChebyshev(channels, skeleton, step_channels, conv_dropout)

    def forward(self, x: Tensor, step: Tensor | None = None) -> Tensor:
        """Map (N, T, K, C) to (N, T, K, C); ``step`` as in :class:`ResidualChebyshev`."""
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        x = x + self.dropout(self.graph(self.graph_norm(x)))
        return self.convolution(x, step)
