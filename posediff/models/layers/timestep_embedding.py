"""Embeddings of the diffusion step."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def check_timesteps(timestep: Tensor, num_train_timesteps: int) -> None:
    """Check that timesteps are in [0, ``num_train_timesteps``).

    Timesteps on an accelerator are not checked, because reading them would synchronise.

    Raises:
        ValueError: A step is negative or not below ``num_train_timesteps``, or the steps are not integers.
    """
    if timestep.dtype.is_floating_point:
        raise ValueError(
            f'the denoiser looks up the step in a table and takes int64 timesteps, got {timestep.dtype}; use a noise '
            "scheduler with time_input='index', or a denoiser with a sinusoidal step embedding"
        )
    if timestep.device.type != 'cpu' or timestep.numel() == 0:
        return
    lowest, highest = timestep.min().item(), timestep.max().item()
    if lowest < 0 or highest >= num_train_timesteps:
        wrong = highest if highest >= num_train_timesteps else lowest
        raise ValueError(
            f'timestep {wrong} is outside [0, {num_train_timesteps}): the denoiser was built with '
            f'num_train_timesteps={num_train_timesteps}'
        )


class TabulatedStepEmbedding(nn.Module):
    """The embedding of CSDI: a table of sines and cosines, then Linear, SiLU, Linear, SiLU.

    Frequencies are 10^(4k / (half - 1)) and steps are multiplied by them (Tashiro et al., "CSDI", NeurIPS 2021,
    appendix; DiffHPE uses the same).

    The table is part of the state dict, because trained weights depend on its rounding: the arguments reach 1e4 times
    the step, where one unit in the last place of a float32 frequency changes a sine by hundredths, and powers are
    rounded differently on different platforms.

    Args:
        num_train_timesteps: Number of rows of the table.
        channels: Width of the table and of the embedding; even, at least 4.
    """

    table: Tensor

    def __init__(self, num_train_timesteps: int, channels: int) -> None:
        super().__init__()
        if channels < 4 or channels % 2:
            raise ValueError(f'a step embedding needs an even width of at least 4; got {channels}')
        half = channels // 2
        # float32, as in the official code: trained weights depend on the rounding
        frequencies = 10.0 ** (torch.arange(float(half)) / (half - 1) * 4.0)
        angles = torch.arange(num_train_timesteps)[:, None] * frequencies
        self.register_buffer('table', torch.cat([angles.sin(), angles.cos()], dim=1))
        self.hidden = nn.Linear(channels, channels)
        self.output = nn.Linear(channels, channels)

    def forward(self, timestep: Tensor) -> Tensor:
        """Embed int64 steps (S,) as (S, channels)."""
        check_timesteps(timestep, self.table.shape[0])
        return F.silu(self.output(F.silu(self.hidden(self.table[timestep]))))


class SinusoidalStepEmbedding(nn.Module):
    """The embedding of DDPM: sines and cosines of decreasing frequency, then Linear, activation, Linear.

    Frequencies are 10000^(-k / (half - 1)); D3DP uses this one (Shan et al., ICCV 2023). They resolve times of 0 to
    1000; on a continuous path, ``time_input='sigma_1000'`` gives such times.

    Args:
        channels: Width of the sinusoid; even, at least 4.
        hidden_channels: Width between the two linear maps.
        out_channels: Width of the embedding; None: that of the sinusoid.
        activation: Function between the two linear maps.
    """

    def __init__(
        self,
        channels: int,
        hidden_channels: int,
        out_channels: int | None = None,
        activation: Callable[[Tensor], Tensor] = F.gelu,
    ) -> None:
        super().__init__()
        if channels < 4 or channels % 2:
            raise ValueError(f'a step embedding needs an even width of at least 4; got {channels}')
        self.channels = channels
        self.activation = activation
        self.hidden = nn.Linear(channels, hidden_channels)
        self.output = nn.Linear(hidden_channels, channels if out_channels is None else out_channels)

    def forward(self, timestep: Tensor) -> Tensor:
        """Embed times (S,), int64 or real, as (S, out_channels)."""
        half = self.channels // 2
        exponents = torch.arange(half, device=timestep.device) * (-math.log(10000.0) / (half - 1))
        angles = timestep[:, None] * exponents.exp()
        sinusoid = torch.cat([angles.sin(), angles.cos()], dim=-1).to(self.hidden.weight.dtype)
        return self.output(self.activation(self.hidden(sinusoid)))
