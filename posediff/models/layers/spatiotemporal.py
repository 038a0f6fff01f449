"""The transformer of MixSTE, which alternates between joints and frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posediff.models.layers.attention import FRAME_AXIS, JOINT_AXIS, TransformerBlock


class SpatioTemporalTransformer(nn.Module):
    """The alternating spatial and temporal transformer of MixSTE (Zhang et al., CVPR 2022).

    Each level attends over joints, then over frames. All levels share one normalisation per axis. Position embeddings
    are added once, in the first level. A normalisation follows the last level.

    Args:
        num_frames: T.
        num_joints: K.
        channels: C.
        depth: Number of levels.
        num_heads: Heads of every attention.
        mlp_ratio: Hidden width of every perceptron relative to C.
        drop_path_rate: Stochastic depth rate of the last level; the rates grow linearly from 0 at the first.
    """

    def __init__(
        self,
        num_frames: int,
        num_joints: int,
        channels: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        drop_path_rate: float = 0.0,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f'depth must be at least 1; got {depth}')
        self.joint_position = nn.Parameter(torch.zeros(1, num_joints, channels))
        self.frame_position = nn.Parameter(torch.zeros(1, num_frames, channels))
        rates = [drop_path_rate * level / max(depth - 1, 1) for level in range(depth)]
        self.joint_blocks, self.frame_blocks = (
            nn.ModuleList(TransformerBlock(channels, num_heads, mlp_ratio, axis, rate) for rate in rates)
            for axis in (JOINT_AXIS, FRAME_AXIS)
        )
        self.joint_norm = nn.LayerNorm(channels, eps=1e-6)
        self.frame_norm = nn.LayerNorm(channels, eps=1e-6)
        self.final_norm = nn.LayerNorm(channels, eps=1e-5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Process one token per joint and frame.

        Args:
            tokens: (B, T, K, C).

        Returns:
            (B, T, K, C), normalised.
        """
        x = tokens + self.joint_position
        for level, (joint_block, frame_block) in enumerate(zip(self.joint_blocks, self.frame_blocks, strict=True)):
            x = self.joint_norm(joint_block(x))
            if level == 0:
                x = x + self.frame_position.unsqueeze(2)
            x = self.frame_norm(frame_block(x))
        return self.final_norm(x)
