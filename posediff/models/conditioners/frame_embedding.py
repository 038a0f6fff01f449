"""Patch embedding of the feature maps of a backbone."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class FrameEmbedding(nn.Module):
    """Spatial rearrangement and patch embedding of DiffPose (Feng et al., ICCV 2023, section 3.2), as a convolution.

    It converts the feature maps of any backbone to one size: ``patch_size=1`` for a ViT (1/16 of the image), 4 for an
    HRNet (1/4), ``rearrange=2`` for a ResNet (1/32).

    Args:
        in_channels: Channels of the feature maps.
        channels: C of the output.
        patch_size: Side of a patch of the (rearranged) feature map.
        rearrange: Factor r of the depth-to-space operation (``pixel_shuffle``) before the patch embedding;
            ``in_channels`` must be a multiple of r². 1: no rearrangement.
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
        """Map (N, in_channels, h, w) to (N, channels, H, W).

        Raises:
            ValueError: The maps have another number of channels.
        """
        if maps.dim() != 4 or maps.shape[1] != self.in_channels:
            raise ValueError(f'expected maps (N, {self.in_channels}, h, w) of the backbone, got {tuple(maps.shape)}')
        return self.projection(F.pixel_shuffle(maps, self.rearrange))
