"""Convolutions in the place of a ViT's patch embedding."""

from __future__ import annotations

from torch import nn

from posediff.models.layers.convolution import conv_block


def convolutional_stem(in_channels: int, embed_dim: int, patch_size: int) -> nn.Sequential:
    """Halve the image by 3×3 convolutions until a pixel is a patch (Xiao et al., "Early Convolutions Help Transformers
    See Better", NeurIPS 2021).

    Where there are few images and no pretrained weights: one linear map of the pixels has to learn from data what
    convolutions know from the start. Each resolution has a second convolution, but the first and the last.

    Args:
        in_channels: Of the image.
        embed_dim: Channels of a token; the convolutions have 1/8, 1/4, … of that, and that at the end.
        patch_size: Pixels to a token, a power of 2.

    Returns:
        (N, in_channels, H, W) to (N, embed_dim, H / patch_size, W / patch_size).

    Raises:
        ValueError: ``patch_size`` is no power of 2 from 4.
    """
    halvings = patch_size.bit_length() - 1
    if patch_size < 4 or patch_size != 2**halvings:
        raise ValueError(f'a convolutional stem needs a patch_size that is a power of 2 from 4, got {patch_size}')
    blocks, width = [], in_channels
    for number in range(halvings):
        wider = max(embed_dim // 2 ** (halvings - 1 - number), 1)
        blocks.append(conv_block(width, wider, stride=2))
        if 0 < number < halvings - 1:
            blocks.append(conv_block(wider, wider))
        width = wider
    return nn.Sequential(*blocks, nn.Conv2d(embed_dim, embed_dim, 1))
