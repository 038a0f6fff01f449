"""The denoiser of FMPose3D: graph convolution and attention over the joints of single frames."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.denoisers.base import expand_to_rows
from posediff.models.denoisers.prepared import ClipDenoiser
from posediff.models.layers.fourier_time_embedding import FourierTimeEmbedding
from posediff.models.layers.parallel_graph_attention import EPS, ParallelGraphAttentionBlock
from posediff.registry import DENOISERS
from posediff.structures.skeletons import get_skeleton


class FMPose3DCondition(NamedTuple):
    """The contribution of the condition to the first layer, (B, T, K, C / 2)."""

    tokens: Tensor


@DENOISERS.register_module()
class FMPose3DDenoiser(ClipDenoiser):
    """The velocity network of FMPose3D (CVPR 2026, arXiv 2602.05755), as in the official code for humans.

    The token of a joint is embedded from [condition, x_t, time]. Joints are told apart only by the graph and by the
    normalisation over joints. Frames are independent.

    Where the paper differs from the code (three embeddings, branches concatenated), this is the code.

    Args:
        num_frames: T, any number; official weights are for single frames.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K and the graph.
        channels: C, a multiple of ``num_heads``.
        num_layers: Number of blocks.
        num_heads: Heads of every attention.
        hidden_channels: Hidden width of every perceptron.
        condition_channels: Width of the condition (2 for raw 2D joints).
        time_channels: Width of the time embedding.
        attention_dropout, projection_dropout, mlp_dropout: Rates of dropout, see :class:`ParallelGraphAttentionBlock`.
        drop_path_rate: Stochastic depth rate of the last block; the rates grow linearly from 0.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        num_frames: int = 1,
        skeleton: str = 'h36m17',
        channels: int = 512,
        num_layers: int = 5,
        num_heads: int = 8,
        hidden_channels: int = 1024,
        condition_channels: int = 2,
        time_channels: int = 32,
        attention_dropout: float = 0.2,
        projection_dropout: float = 0.25,
        mlp_dropout: float = 0.1,
        drop_path_rate: float = 0.2,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(num_frames, skeleton, condition_channels, init_cfg)
        if channels % 2 or num_layers < 1:
            raise ValueError(
                f'{type(self).__name__} needs an even number of channels and at least one layer, got {channels} and '
                f'{num_layers}'
            )
        self.time_embedding = FourierTimeEmbedding(time_channels, 2 * time_channels)
        self.embedding = nn.Linear(condition_channels + self.input_channels + time_channels, channels // 2)
        self.embedding_output = nn.Linear(channels // 2, channels)
        rates = [drop_path_rate * layer / max(num_layers - 1, 1) for layer in range(num_layers)]
        graph = get_skeleton(skeleton)
        dropout = (attention_dropout, projection_dropout, mlp_dropout)
        self.blocks = nn.ModuleList(
            ParallelGraphAttentionBlock(channels, graph, num_heads, hidden_channels, *dropout, rate) for rate in rates
        )
        self.final_norm = nn.LayerNorm(channels, eps=EPS)
        self.output_hidden = nn.Linear(channels, channels // 2)
        self.output_projection = nn.Linear(channels // 2, 3)

    def project(self, condition: Tensor) -> FMPose3DCondition:
        """Apply the part of the first layer that multiplies the condition."""
        weight = self.embedding.weight[:, : self.condition_shape[-1]]
        return FMPose3DCondition(F.linear(condition, weight, self.embedding.bias))

    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: FMPose3DCondition) -> Tensor:
        first = self.condition_shape[-1]
        of_state, of_time = self.embedding.weight[:, first:].split([self.input_channels, self.time_channels], dim=1)
        tokens = F.linear(x_t, of_state) + expand_to_rows(prepared.tokens, x_t.shape[0])
        tokens = tokens + F.linear(self.time_embedding(timestep), of_time)[:, None, None]
        x = self.embedding_output(F.gelu(tokens))
        for block in self.blocks:
            x = block(x)
        return self.output_projection(F.gelu(self.output_hidden(self.final_norm(x))))

    @property
    def time_channels(self) -> int:
        """Width of the time embedding."""
        return self.time_embedding.output.out_features
