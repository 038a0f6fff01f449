"""Embedding of a real diffusion time by random Fourier features."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FourierTimeEmbedding(nn.Module):
    """Sines and cosines of random frequencies, then Linear, GELU, Linear (FMPose3D).

    The frequencies are drawn once per training from N(0, 1). They are part of the state dict, since trained weights
    depend on them.

    Args:
        channels: Width of the embedding, twice the number of frequencies; even.
        hidden_channels: Width between the two linear maps.
    """

    frequencies: Tensor

    def __init__(self, channels: int = 32, hidden_channels: int = 64) -> None:
        super().__init__()
        if channels < 2 or channels % 2:
            raise ValueError(f'a time embedding needs an even width of at least 2; got {channels}')
        self.register_buffer('frequencies', torch.randn(channels // 2))
        self.hidden = nn.Linear(channels, hidden_channels)
        self.output = nn.Linear(hidden_channels, channels)

    def forward(self, timestep: Tensor) -> Tensor:
        """Embed times (S,), real or integer, as (S, channels)."""
        angles = 2 * math.pi * timestep.to(self.frequencies.dtype)[:, None] * self.frequencies
        waves = torch.cat([angles.sin(), angles.cos()], dim=-1)
        return self.output(F.gelu(self.hidden(waves.to(self.hidden.weight.dtype))))
