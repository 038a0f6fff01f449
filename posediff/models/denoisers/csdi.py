"""The transformer of CSDI, the predecessor of DiffHPE's CT-GCN."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.denoisers.base import expand_to_rows
from posediff.models.denoisers.prepared import ClipDenoiser
from posediff.models.layers.row_blocks import in_row_blocks
from posediff.models.layers.timestep_embedding import TabulatedStepEmbedding
from posediff.registry import DENOISERS


class CSDICondition(NamedTuple):
    """The projected side information of every layer: (num_layers, B, T, K, 2C)."""

    layers: Tensor


class CSDILayer(nn.Module):
    """A residual layer: a transformer layer over frames, one over joints, and a gated activation with the condition.

    Args:
        channels: C, a multiple of ``num_heads``.
        num_heads: Heads of both transformer layers.
        feedforward_channels: Hidden width of both transformer layers.
        side_channels: Width of the side information.
        step_channels: Width of the step embedding.
        dropout: Rate inside the transformer layers.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        feedforward_channels: int,
        side_channels: int,
        step_channels: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.step_projection = nn.Linear(step_channels, channels)
        self.side_projection = nn.Linear(side_channels, 2 * channels)
        self.mid_projection = nn.Linear(channels, 2 * channels)
        self.output_projection = nn.Linear(channels, 2 * channels)
        self.frame_layer, self.joint_layer = (
            nn.TransformerEncoderLayer(
                channels, num_heads, feedforward_channels, dropout, activation='gelu', batch_first=True
            )
            for _ in range(2)
        )
        for linear in (self.side_projection, self.mid_projection, self.output_projection):
            nn.init.kaiming_normal_(linear.weight)

    def forward(self, x: Tensor, step_embedding: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        """Refine the features.

        Args:
            x: (N, T, K, C).
            step_embedding: (N, step_channels) or (1, step_channels).
            side: (N, T, K, 2C), from :attr:`side_projection`.

        Returns:
            The refined features and the skip connection to the output, each (N, T, K, C).
        """
        rows, frames, joints, _ = x.shape
        y = x + self.step_projection(step_embedding)[:, None, None]
        y = (
            in_row_blocks(self.frame_layer, y.transpose(1, 2).flatten(0, 1))
            .unflatten(0, (rows, joints))
            .transpose(1, 2)
        )
        y = in_row_blocks(self.joint_layer, y.flatten(0, 1)).unflatten(0, (rows, frames))
        gate, value = (self.mid_projection(y) + side).chunk(2, dim=-1)
        residual, skip = self.output_projection(torch.sigmoid(gate) * torch.tanh(value)).chunk(2, dim=-1)
        return (x + residual) / math.sqrt(2.0), skip


@DENOISERS.register_module()
class CSDIDenoiser(ClipDenoiser):
    """The network of CSDI (Tashiro et al., NeurIPS 2021, section 4 and appendix E), with joints as the features.

    The side information consists of the condition, a sinusoidal embedding of the frame and a learned embedding of the
    joint; it is an input of every layer.

    Args:
        num_frames: T; only the table of the frame embedding depends on it.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K.
        channels: C, a multiple of ``num_heads``.
        num_layers: Residual layers.
        num_heads: Heads of the transformer layers.
        feedforward_channels: Hidden width of the transformer layers.
        condition_channels: Width of the condition.
        frame_channels, joint_channels: Widths of the frame and joint embeddings.
        step_channels: Width of the step embedding.
        dropout: Rate inside the transformer layers.
        num_train_timesteps: Length of the table of step embeddings.
        self_conditioning: Whether the estimate of x_0 of the previous call is a further input (Chen et al., "Analog
            Bits", ICLR 2023; not in the paper of this network).
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    frame_position: Tensor

    def __init__(
        self,
        num_frames: int = 27,
        skeleton: str = 'h36m17',
        channels: int = 64,
        num_layers: int = 4,
        num_heads: int = 8,
        feedforward_channels: int = 64,
        condition_channels: int = 2,
        frame_channels: int = 128,
        joint_channels: int = 16,
        step_channels: int = 128,
        dropout: float = 0.1,
        num_train_timesteps: int = 50,
        self_conditioning: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(num_frames, skeleton, condition_channels, init_cfg, self_conditioning)
        self.register_buffer('frame_position', frame_sinusoid(num_frames, frame_channels), persistent=False)
        self.joint_embedding = nn.Embedding(self.state_shape[1], joint_channels)
        self.step_embedding = TabulatedStepEmbedding(num_train_timesteps, step_channels)
        self.input_projection = nn.Linear(self.input_channels, channels)
        side_channels = condition_channels + frame_channels + joint_channels
        self.layers = nn.ModuleList(
            CSDILayer(channels, num_heads, feedforward_channels, side_channels, step_channels, dropout)
            for _ in range(num_layers)
        )
        self.output_hidden = nn.Linear(channels, channels)
        self.output_projection = nn.Linear(channels, 3)
        for linear in (self.input_projection, self.output_hidden):
            nn.init.kaiming_normal_(linear.weight)
        nn.init.zeros_(self.output_projection.weight)

    def project(self, condition: Tensor) -> CSDICondition:
        """Project the side information for every layer."""
        shape = condition.shape[:3]
        frames = self.frame_position.to(condition.dtype)[:, None].expand(*shape, -1)
        joints = self.joint_embedding.weight.to(condition.dtype).expand(*shape, -1)
        side = torch.cat([condition, frames, joints], dim=-1)
        layers = cast('Iterable[CSDILayer]', self.layers)
        return CSDICondition(torch.stack([layer.side_projection(side) for layer in layers]))

    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: CSDICondition) -> Tensor:
        x = F.relu(self.input_projection(x_t))
        step_embedding = self.step_embedding(timestep)
        total = torch.zeros_like(x)
        for layer, side in zip(self.layers, prepared.layers, strict=True):
            x, skip = layer(x, step_embedding, expand_to_rows(side, x_t.shape[0]))
            total = total + skip
        hidden = F.relu(self.output_hidden(total / math.sqrt(len(self.layers))))
        return self.output_projection(hidden)


def frame_sinusoid(num_frames: int, channels: int) -> Tensor:
    """Return the sinusoidal position encoding of the frame index: sines in even channels, cosines in odd ones.

    Returns:
        (num_frames, channels); ``channels`` must be even.
    """
    if channels % 2:
        raise ValueError(f'frame_channels must be even; got {channels}')
    angles = torch.arange(num_frames)[:, None] / 10000.0 ** (torch.arange(0, channels, 2) / channels)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
