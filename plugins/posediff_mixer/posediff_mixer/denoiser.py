"""A denoiser made of linear layers only."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.denoisers.base import BaseDenoiser, expand_to_rows
from posediff.models.layers.timestep_embedding import SinusoidalStepEmbedding
from posediff.registry import DENOISERS


class MixerBlock(nn.Module):
    """Mix over joints, then over frames, then over channels, each as a residual; (N, T, K, C) → (N, T, K, C)."""

    def __init__(self, num_frames: int, num_joints: int, channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(3))
        self.joints = nn.Linear(num_joints, num_joints)
        self.frames = nn.Linear(num_frames, num_frames)
        self.channels = nn.Sequential(nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x + F.gelu(self.joints(self.norms[0](x).transpose(2, 3))).transpose(2, 3)
        x = x + F.gelu(self.frames(self.norms[1](x).transpose(1, 3))).transpose(1, 3)
        return x + self.channels(self.norms[2](x))


@DENOISERS.register_module()
class JointTimeMixer(BaseDenoiser):
    """MLP-Mixer (Tolstikhin et al., NeurIPS 2021) whose tokens are the joints of a window of frames.

    Args:
        num_frames: T, the number of frames of every window.
        num_joints: K, the number of joints.
        condition_channels: C, the number of channels of the condition (B, T, K, C); 2 for keypoints.
        channels: Number of channels of the hidden layers.
        depth: Number of blocks.
    """

    def __init__(
        self, num_frames: int, num_joints: int, condition_channels: int = 2, channels: int = 64, depth: int = 4
    ) -> None:
        super().__init__()
        self.num_frames = num_frames
        self.pose = nn.Linear(3, channels)
        self.condition = nn.Linear(condition_channels, channels)
        self.step = SinusoidalStepEmbedding(channels, channels)
        self.blocks = nn.ModuleList(MixerBlock(num_frames, num_joints, channels) for _ in range(depth))
        self.output = nn.Linear(channels, 3)

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        """Return the output of the network.

        Args:
            x_t: (N, T, K, 3) noisy state, metres; row n belongs to clip n // M.
            timestep: (N,) or (1,): int64 with 0 = least noise, or real on continuous paths.
            condition: (B, T, K, C) or (N, T, K, C).

        Returns:
            (N, T, K, 3) in the prediction type of the noise scheduler.
        """
        step = self.step(timestep)[:, None, None]
        x = self.pose(x_t) + expand_to_rows(self.condition(condition), x_t.shape[0])
        for block in self.blocks:
            x = block(x + step)
        return self.output(x).to(x_t.dtype)
