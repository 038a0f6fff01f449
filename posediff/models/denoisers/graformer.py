"""The denoiser of DiffPose for 3D poses: GraFormer with a step embedding."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.denoisers.base import expand_to_rows
from posediff.models.denoisers.prepared import ClipDenoiser
from posediff.models.layers.chebyshev import ChebyshevConv
from posediff.models.layers.graformer import GraFormerBlock
from posediff.models.layers.timestep_embedding import SinusoidalStepEmbedding
from posediff.registry import DENOISERS
from posediff.structures.skeletons import get_skeleton


class GraFormerCondition(NamedTuple):
    """The condition of the first layer, (B, T, K, C); C = 0 if the network takes none."""

    channels: Tensor


@DENOISERS.register_module()
class GraFormerDenoiser(ClipDenoiser):
    """GraFormer with a step embedding, as in the released code of Gong et al. ("DiffPose", CVPR 2023).

    The state of a joint is [2D joint, 3D joint]: what was observed is a part of the state and is denoised with the
    pose, so the network takes no condition (``condition_channels=0``). Frames are independent.

    Args:
        num_frames: T, any number; released weights are for single frames.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K and the graph.
        channels: C, even, a multiple of ``num_heads``; the step embedding has 4C.
        num_layers: Number of blocks.
        num_heads: Heads of every attention.
        state_channels: Channels of x_t: 5, or 3 for 3D joints alone.
        condition_channels: Width of a condition that is appended to x_t; 0: the condition is not read.
        dropout, attention_dropout, conv_dropout: See :class:`posediff.models.layers.graformer.GraFormerBlock`.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        num_frames: int = 1,
        skeleton: str = 'h36m17',
        channels: int = 96,
        num_layers: int = 5,
        num_heads: int = 4,
        state_channels: int = 5,
        condition_channels: int = 0,
        dropout: float = 0.25,
        attention_dropout: float = 0.1,
        conv_dropout: float = 0.1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(num_frames, skeleton, condition_channels, init_cfg, state_channels=state_channels)
        graph, step_channels = get_skeleton(skeleton), 4 * channels
        self.step_embedding = SinusoidalStepEmbedding(channels, step_channels, step_channels, F.silu)
        self.embedding = ChebyshevConv(condition_channels + state_channels, channels, graph)
        rates = (dropout, attention_dropout, conv_dropout)
        self.blocks = nn.ModuleList(
            GraFormerBlock(channels, graph, num_heads, step_channels, *rates) for _ in range(num_layers)
        )
        self.regression = ChebyshevConv(channels, state_channels, graph)

    def prepare(self, condition: Tensor) -> GraFormerCondition:
        """Check the condition (B, T, K, C), unless the network takes none."""
        if self.condition_shape[-1]:
            return super().prepare(condition)
        return GraFormerCondition(condition.new_empty((condition.shape[0], *self.condition_shape)))

    def project(self, condition: Tensor) -> GraFormerCondition:
        """Wrap the condition."""
        return GraFormerCondition(condition)

    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: GraFormerCondition) -> Tensor:
        x_t = torch.cat([expand_to_rows(prepared.channels, x_t.shape[0]).to(x_t.dtype), x_t], dim=-1)
        step = self.step_embedding(timestep)
        x = self.embedding(x_t)
        for block in self.blocks:
            x = block(x, step)
        return self.regression(x)
