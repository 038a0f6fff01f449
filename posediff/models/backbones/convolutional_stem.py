"""A convolutional patch embedding for vision transformers."""

from __future__ import annotations

from torch import nn

from posediff.models.layers.convolution import conv_block


def convolutional_stem(in_channels: int, embed_dim: int, patch_size: int) -> nn.Sequential:
    """Return a patch embedding of strided 3×3 convolutions (Xiao et al., "Early Convolutions Help Transformers See
    Better", NeurIPS 2021).

    It needs less training data than the linear patch embedding, for training without pretrained weights. Every
    resolution except the first and the last has a second convolution.

    Args:
        in_channels: Channels of the image.
        embed_dim: Channels of a token; the convolutions have …, 1/4, 1/2 and 1 times as many.
        patch_size: Side of a patch in pixels, a power of 2.

    Returns:
        Module that maps (N, in_channels, H, W) to (N, embed_dim, H / patch_size, W / patch_size).

    Raises:
        ValueError: ``patch_size`` is not a power of 2 of at least 4.
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
