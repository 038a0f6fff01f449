"""A transformer with one token per frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posediff.models.layers.attention import FRAME_AXIS, TransformerBlock


class FrameTransformer(nn.Module):
    """A transformer over the frames of a clip, with one token per frame, and a linear map beside it.

    One token for all joints of a frame makes a clip K times shorter than in MixSTE, so that attention over long windows
    is cheap. The linear map from input to output, frame by frame, is what the network computes before training: its
    last layer starts at 0.

    Args:
        num_frames: T.
        in_channels: Values per frame of the input.
        out_channels: Values per frame of the output.
        channels: C, width of a token.
        depth: Number of transformer blocks.
        num_heads: Heads of every attention.
        mlp_ratio: Hidden width of every perceptron relative to C.
        drop_path_rate: Stochastic depth rate of the last block; the rates grow linearly from 0.
    """

    def __init__(
        self,
        num_frames: int,
        in_channels: int,
        out_channels: int,
        channels: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        drop_path_rate: float = 0.0,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f'depth must be at least 1; got {depth}')
        self.embedding = nn.Linear(in_channels, channels)
        self.position = nn.Parameter(torch.randn(1, num_frames, channels) * 0.02)
        self.blocks = nn.ModuleList(
            TransformerBlock(channels, num_heads, mlp_ratio, FRAME_AXIS, drop_path_rate * level / max(depth - 1, 1))
            for level in range(depth)
        )
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.output = nn.Linear(channels, out_channels)
        self.shortcut = nn.Linear(in_channels, out_channels, bias=False)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, frames: Tensor, shift: Tensor | None = None) -> Tensor:
        """Process clips.

        Args:
            frames: (B, T, in_channels).
            shift: Broadcastable to (B, T, channels), added to the tokens; None: nothing.

        Returns:
            (B, T, out_channels).
        """
        return self.outputs(self.embedding(frames), self.shortcut(frames), shift)

    def outputs(self, tokens: Tensor, shortcut: Tensor, shift: Tensor | None = None) -> Tensor:
        """Process the tokens of clips: embedded frames (B, T, channels), and the shortcut's output for them."""
        tokens = tokens + self.position if shift is None else tokens + self.position + shift
        tokens = tokens.unsqueeze(2)  # the blocks have an axis of joints
        for block in self.blocks:
            tokens = block(tokens)
        return self.output(self.norm(tokens.squeeze(2))) + shortcut
