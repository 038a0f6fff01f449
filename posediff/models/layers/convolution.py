"""Convolutional blocks of the heatmap networks, and a convolution whose input is a concatenation with the condition."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


def conv_block(in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU: (N, in, H, W) to (N, out, H / stride, W / stride)."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def upsampling(in_channels: int, out_channels: int, factor: int) -> nn.Sequential:
    """Transposed convolutions that enlarge ``factor`` times: (N, in, H, W) to (N, out, factor · H, factor · W).

    Args:
        in_channels, out_channels: Widths; the first block changes the width.
        factor: 1, or a power of 2: a block for every doubling.

    Raises:
        ValueError: ``factor`` is something else.
    """
    if factor < 1 or factor & (factor - 1):
        raise ValueError(f'an upsampling factor must be a power of 2, got {factor}')
    # kernel 4 with stride 2 covers every output pixel by as many taps, so it draws no checkerboard
    kernels = [(3, 1)] if factor == 1 else [(4, 2)] * (factor.bit_length() - 1)
    blocks: list[nn.Module] = []
    for kernel_size, stride in kernels:
        blocks += [
            nn.ConvTranspose2d(in_channels, out_channels, kernel_size, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        ]
        in_channels = out_channels
    return nn.Sequential(*blocks)


def constant_output(layer: nn.Conv2d, value: float) -> nn.Conv2d:
    """Initialise an output layer so that it says ``value`` almost everywhere.

    Heatmaps are empty but for a few pixels: a random layer spends its first thousands of steps on unlearning itself.
    """
    nn.init.normal_(layer.weight, std=0.001)
    if layer.bias is not None:
        nn.init.constant_(layer.bias, value)
    return layer


class ConcatConv2d(nn.Conv2d):
    """Convolution of ``[x, y]``, concatenated along the channels, in two halves of one weight.

    A convolution is linear: W [x, y] = W_x x + W_y y. Where y is the condition, its half is computed once per clip
    (:meth:`condition_half`) and added for every row and step.

    Args:
        x_channels, y_channels: Channels of the two inputs.
        out_channels, kernel_size: As of ``nn.Conv2d``; the size is kept.
        bias: Whether there is one; it goes with the half of y.
    """

    def __init__(
        self, x_channels: int, y_channels: int, out_channels: int, kernel_size: int = 3, bias: bool = False
    ) -> None:
        super().__init__(x_channels + y_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)
        self.x_channels = x_channels

    def condition_half(self, y: Tensor) -> Tensor:
        """W_y y + b: (B, y_channels, H, W) to (B, out, H, W)."""
        return F.conv2d(y, self.weight[:, self.x_channels :], self.bias, padding=self.padding)

    def forward(self, x: Tensor, condition_half: Tensor) -> Tensor:  # type: ignore[override]
        """W_x x + what :meth:`condition_half` made of y.

        Args:
            x: (N, x_channels, H, W).
            condition_half: (B, out, H, W) with N = B·M, rows b-major.

        Returns:
            (N, out, H, W).
        """
        out = F.conv2d(x, self.weight[:, : self.x_channels], padding=self.padding)
        return per_clip(out, condition_half.shape[0]).add(condition_half.unsqueeze(1)).flatten(0, 1)


def per_clip(rows: Tensor, batch: int) -> Tensor:
    """Unfold rows (N, …) to (B, M, …), b-major, so that something of batch B can be broadcast to them.

    Raises:
        ValueError: N is not a multiple of B.
    """
    if batch == 0 or rows.shape[0] % batch:
        raise ValueError(f'a condition of batch {batch} does not fit {rows.shape[0]} rows: rows must be a multiple')
    return rows.unflatten(0, (batch, -1))
