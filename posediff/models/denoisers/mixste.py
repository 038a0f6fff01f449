"""The denoiser of D3DP: MixSTE with a step embedding."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.denoisers.base import expand_to_rows
from posediff.models.denoisers.prepared import ClipDenoiser
from posediff.models.layers.spatiotemporal import SpatioTemporalTransformer
from posediff.models.layers.timestep_embedding import SinusoidalStepEmbedding
from posediff.registry import DENOISERS


class MixSTECondition(NamedTuple):
    """The contribution of the condition to the tokens, (B, T, K, C)."""

    tokens: Tensor


@DENOISERS.register_module()
class MixSTEDenoiser(ClipDenoiser):
    """MixSTE on [condition, x_t] with a step embedding added to every token (Shan et al., "D3DP", ICCV 2023).

    D3DP predicts x_0 (``prediction_type='sample'``), with C = 512, 243 frames and ``clip_x_t=1.1``.

    Args:
        num_frames: T; the position embedding depends on it.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K.
        channels: C.
        depth: Number of levels, each with attention over joints and over frames.
        num_heads: Heads of every attention.
        mlp_ratio: Hidden width of every perceptron relative to C.
        condition_channels: Width of the condition.
        drop_path_rate: Stochastic depth rate of the last level; the rates grow linearly from 0.
        self_conditioning: Whether the estimate of x_0 of the previous call is a further input (Chen et al., "Analog
            Bits", ICLR 2023; not in the paper of this network).
        clip_x_t: The network is given x_t clamped to ± this value (the sampler is not); the estimate of
            ``self_conditioning`` is not clamped. None: no clamping.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        num_frames: int = 243,
        skeleton: str = 'h36m17',
        channels: int = 512,
        depth: int = 8,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        condition_channels: int = 2,
        drop_path_rate: float = 0.0,
        self_conditioning: bool = False,
        clip_x_t: float | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(num_frames, skeleton, condition_channels, init_cfg, self_conditioning)
        if clip_x_t is not None and clip_x_t <= 0:
            raise ValueError(f'clip_x_t must be positive or None, got {clip_x_t}')
        self.clip_x_t = clip_x_t
        self.embedding = nn.Linear(condition_channels + self.input_channels, channels)
        self.step_embedding = SinusoidalStepEmbedding(channels, 2 * channels)
        self.trunk = SpatioTemporalTransformer(
            num_frames, self.state_shape[1], channels, depth, num_heads, mlp_ratio, drop_path_rate
        )
        self.regression = nn.Linear(channels, 3)

    def project(self, condition: Tensor) -> MixSTECondition:
        """Apply the part of the embedding that multiplies the condition."""
        weight = self.embedding.weight[:, : self.condition_shape[-1]]
        return MixSTECondition(F.linear(condition, weight, self.embedding.bias))

    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: MixSTECondition) -> Tensor:
        if self.clip_x_t is not None:
            state, *estimate = x_t.split(3, dim=self.channel_axis)  # x_t, and with self-conditioning the estimate
            x_t = torch.cat([state.clamp(-self.clip_x_t, self.clip_x_t), *estimate], dim=self.channel_axis)
        tokens = F.linear(x_t, self.embedding.weight[:, self.condition_shape[-1] :])
        tokens = tokens + expand_to_rows(prepared.tokens, x_t.shape[0])
        tokens = tokens + self.step_embedding(timestep)[:, None, None]
        return self.regression(self.trunk(tokens))
