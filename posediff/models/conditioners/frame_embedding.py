"""From a backbone's map of one frame to the map of one token per place that conditioners work on."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class FrameEmbedding(nn.Module):
    """Spatial rearrangement and patch embedding of DiffPose (Feng et al., ICCV 2023, section 3.2), by a convolution.

    Brings maps of any backbone to one size: a ViT's at a 16th of the image as they are (``patch_size=1``), an HRNet's
    at a quarter in patches of 4, a ResNet's at a 32nd with depth moved to space (``rearrange=2``).

    Args:
        in_channels: Of the backbone's maps.
        channels: C of the result.
        patch_size: Side of the squares of the (rearranged) map that become one place.
        rearrange: Depth to space by this factor before: ``in_channels`` are divided by its square.
    """

    def __init__(self, in_channels: int, channels: int, patch_size: int = 1, rearrange: int = 1) -> None:
        super().__init__()
        if in_channels % rearrange**2:
            raise ValueError(
                f'in_channels {in_channels} cannot be rearranged by {rearrange}: not a multiple of its square'
            )
        self.in_channels = in_channels
        self.rearrange = rearrange
        self.projection = nn.Conv2d(in_channels // rearrange**2, channels, patch_size, stride=patch_size)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, channels, H, W).

        Raises:
            ValueError: The maps have other channels.
        """
        if maps.dim() != 4 or maps.shape[1] != self.in_channels:
            raise ValueError(f'expected maps (N, {self.in_channels}, h, w) of the backbone, got {tuple(maps.shape)}')
        return self.projection(F.pixel_shuffle(maps, self.rearrange))
