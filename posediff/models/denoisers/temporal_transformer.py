"""A denoiser with one token per frame."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from posediff.models.denoisers.base import expand_to_rows
from posediff.models.denoisers.prepared import ClipDenoiser
from posediff.models.layers.frame_transformer import FrameTransformer
from posediff.models.layers.timestep_embedding import SinusoidalStepEmbedding
from posediff.registry import DENOISERS

COORDINATES = 3


class FrameCondition(NamedTuple):
    """The contributions of the condition to the tokens (B, T, C) and to the shortcut's output (B, T, K·3)."""

    tokens: Tensor
    shortcut: Tensor


@DENOISERS.register_module()
class TemporalTransformerDenoiser(ClipDenoiser):
    """A transformer over frames on [condition, x_t], with a step embedding added to every token; not in a paper.

    Its layers are those of the lifter :class:`posediff.models.lifters.temporal_transformer.TemporalTransformer`.

    Args:
        num_frames: T; the position embedding depends on it.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K.
        channels: C, width of a token.
        depth: Number of transformer blocks.
        num_heads: Heads of every attention.
        mlp_ratio: Hidden width of every perceptron relative to C.
        condition_channels: Width of the condition.
        drop_path_rate: Stochastic depth rate of the last block; the rates grow linearly from 0.
        self_conditioning: See :class:`posediff.models.denoisers.base.BaseDenoiser`.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        num_frames: int = 81,
        skeleton: str = 'h36m17',
        channels: int = 192,
        depth: int = 3,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        condition_channels: int = 2,
        drop_path_rate: float = 0.0,
        self_conditioning: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(num_frames, skeleton, condition_channels, init_cfg, self_conditioning)
        num_joints = self.state_shape[1]
        self.step_embedding = SinusoidalStepEmbedding(channels, 2 * channels)
        self.trunk = FrameTransformer(
            num_frames,
            num_joints * (condition_channels + self.input_channels),
            num_joints * COORDINATES,
            channels,
            depth,
            num_heads,
            mlp_ratio,
            drop_path_rate,
        )
        self.condition_width = num_joints * condition_channels

    def project(self, condition: Tensor) -> FrameCondition:
        """Apply the parts of the first linear maps that multiply the condition."""
        frames, width = condition.flatten(2), self.condition_width
        embedding, shortcut = self.trunk.embedding, self.trunk.shortcut
        return FrameCondition(
            F.linear(frames, embedding.weight[:, :width], embedding.bias),
            F.linear(frames, shortcut.weight[:, :width]),
        )

    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: FrameCondition) -> Tensor:
        frames, width, rows = x_t.flatten(2), self.condition_width, x_t.shape[0]
        tokens = F.linear(frames, self.trunk.embedding.weight[:, width:]) + expand_to_rows(prepared.tokens, rows)
        shortcut = F.linear(frames, self.trunk.shortcut.weight[:, width:]) + expand_to_rows(prepared.shortcut, rows)
        output = self.trunk.outputs(tokens, shortcut, self.step_embedding(timestep)[:, None])
        return output.unflatten(-1, (-1, COORDINATES))
