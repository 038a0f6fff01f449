"""D3DP's denoiser: MixSTE that is told the diffusion step."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.denoisers.base import BaseDenoiser, expand_to_rows
from posediff.models.layers.shapes import check_clip
from posediff.models.layers.spatiotemporal import SpatioTemporalTransformer
from posediff.models.layers.timestep_embedding import SinusoidalStepEmbedding
from posediff.registry import DENOISERS
from posediff.structures.skeletons import get_skeleton


class MixSTECondition(NamedTuple):
    """The condition's share of the tokens, (B, T, K, C)."""

    tokens: Tensor


@DENOISERS.register_module()
class MixSTEDenoiser(BaseDenoiser):
    """MixSTE on [condition, x_t] with a step embedding added to every token (Shan et al., "D3DP", ICCV 2023).

    D3DP predicts x_0 (``prediction_type='sample'``), with C = 512 and 243 frames.

    Args:
        num_frames: T, built into the position embedding.
        skeleton: Name in :mod:`posediff.structures.skeletons`; gives K.
        channels: C.
        depth: Levels, each over joints and then over frames.
        num_heads: Heads of every attention.
        mlp_ratio: Hidden width over C of every perceptron.
        condition_channels: Width of the condition.
        drop_path_rate: Stochastic depth of the last level, growing linearly from 0.
        init_cfg: MMEngine's.
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
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        num_joints = get_skeleton(skeleton).num_joints
        self.num_frames = num_frames
        self.pose_shape = (num_frames, num_joints, 3)
        self.condition_shape = (num_frames, num_joints, condition_channels)
        self.embedding = nn.Linear(condition_channels + 3, channels)
        self.step_embedding = SinusoidalStepEmbedding(channels, 2 * channels)
        self.trunk = SpatioTemporalTransformer(
            num_frames, num_joints, channels, depth, num_heads, mlp_ratio, drop_path_rate
        )
        self.regression = nn.Linear(channels, 3)

    def prepare(self, condition: Tensor) -> MixSTECondition:
        """Map the condition's half of the input once per clip.

        Args:
            condition: (B, T, K, condition_channels).
        """
        check_clip('MixSTEDenoiser', 'condition', condition, self.condition_shape)
        weight = self.embedding.weight[:, : self.condition_shape[-1]]
        return MixSTECondition(F.linear(condition, weight, self.embedding.bias))

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Tensor | MixSTECondition) -> Tensor:
        """Evaluate the network once.

        Args:
            x_t: (N, T, K, 3) noisy pose, head units.
            timestep: int64 (N,) or (1,).
            condition: (B, T, K, condition_channels) with B = N or B·M = N, or the prepared one.

        Returns:
            (N, T, K, 3).

        Raises:
            ValueError: A shape does not fit.
        """
        check_clip('MixSTEDenoiser', 'x_t', x_t, self.pose_shape)
        prepared = condition if isinstance(condition, MixSTECondition) else self.prepare(condition)
        tokens = F.linear(x_t, self.embedding.weight[:, self.condition_shape[-1] :])
        tokens = tokens + expand_to_rows(prepared.tokens, x_t.shape[0])
        tokens = tokens + self.step_embedding(timestep)[:, None, None]
        return self.regression(self.trunk(tokens)).to(x_t.dtype)
