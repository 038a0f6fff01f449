"""Convolutional blocks of the heatmap networks."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


def conv_block(in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> nn.Sequential:
    """Return convolution, batch normalisation and ReLU: (N, in, H, W) to (N, out, H / stride, W / stride)."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def upsampling(in_channels: int, out_channels: int, factor: int) -> nn.Sequential:
    """Return transposed convolutions that upsample by ``factor``: (N, in, H, W) to (N, out, factor · H, factor · W).

    Args:
        in_channels, out_channels: Numbers of channels; the first block changes ``in_channels`` to ``out_channels``.
        factor: A power of 2, including 1; one block per doubling.

    Raises:
        ValueError: ``factor`` is not a power of 2.
    """
    if factor < 1 or factor & (factor - 1):
        raise ValueError(f'an upsampling factor must be a power of 2, got {factor}')
    # with kernel 4 and stride 2, every output pixel depends on equally many inputs, which avoids checkerboard artefacts
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


class DetailedUpsampling(nn.Module):
    """Upsample a feature map whose last channels are a rearranged finer map, and add that map at the output size.

    Input channels: first those of the coarse map, then ``detail_channels · detail_factor²`` of a map of
    ``detail_channels`` channels and ``detail_factor`` times the size, rearranged by ``pixel_unshuffle``.

    Args:
        in_channels, out_channels, factor: As for :func:`upsampling`; ``in_channels`` counts all channels.
        detail_channels: Channels of the finer map.
        detail_factor: Size of the finer map divided by that of the coarse map, a multiple of ``factor``.

    Raises:
        ValueError: ``in_channels`` leaves no coarse map, or ``detail_factor`` is not a multiple of ``factor``.
    """

    def __init__(
        self, in_channels: int, out_channels: int, factor: int, detail_channels: int, detail_factor: int = 4
    ) -> None:
        super().__init__()
        if detail_factor % factor:
            raise ValueError(
                f'detail_channels: a map of {detail_factor} times the size cannot be folded to {factor} times the size'
            )
        self.coarse_channels = in_channels - detail_channels * detail_factor**2
        if self.coarse_channels < 1:
            raise ValueError(
                f'{in_channels} channels with a finer map of {detail_channels} · {detail_factor}² channels leave none '
                'for the coarse map'
            )
        self.detail_factor, self.fold = detail_factor, detail_factor // factor
        self.coarse = upsampling(self.coarse_channels, out_channels, factor)
        self.detail = conv_block(detail_channels * self.fold**2, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, factor · H, factor · W)."""
        finer = F.pixel_shuffle(x[:, self.coarse_channels :], self.detail_factor)
        detail = F.pixel_unshuffle(finer, self.fold)
        return self.coarse(x[:, : self.coarse_channels]) + self.detail(detail)


def feature_upsampling(in_channels: int, out_channels: int, factor: int, detail_channels: int = 0) -> nn.Module:
    """Return :func:`upsampling`, or :class:`DetailedUpsampling` if the feature has ``detail_channels``."""
    if detail_channels == 0:
        return upsampling(in_channels, out_channels, factor)
    return DetailedUpsampling(in_channels, out_channels, factor, detail_channels)


def constant_output(layer: nn.Conv2d, value: float) -> nn.Conv2d:
    """Initialise an output layer so that its output is approximately ``value``, and return it.

    Most pixels of a heatmap have the background value; a random output layer needs thousands of steps to reach it.
    """
    nn.init.normal_(layer.weight, std=0.001)
    if layer.bias is not None:
        nn.init.constant_(layer.bias, value)
    return layer


class ConcatConv2d(nn.Conv2d):
    """A convolution of ``[x, y]``, concatenated along the channels, computed as the sum of two convolutions.

    W [x, y] = W_x x + W_y y. If y is the condition, W_y y is computed once per clip (:meth:`condition_half`) and added
    for every row and step.

    Args:
        x_channels, y_channels: Channels of the two inputs.
        out_channels, kernel_size: See ``nn.Conv2d``; the padding keeps the size.
        bias: Whether to add a bias; it is added in :meth:`condition_half`.
    """

    def __init__(
        self, x_channels: int, y_channels: int, out_channels: int, kernel_size: int = 3, bias: bool = False
    ) -> None:
        super().__init__(x_channels + y_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)
        self.x_channels = x_channels

    def condition_half(self, y: Tensor) -> Tensor:
        """Return W_y y + b: (B, y_channels, H, W) to (B, out, H, W)."""
        return F.conv2d(y, self.weight[:, self.x_channels :], self.bias, padding=self.padding)

    def forward(self, x: Tensor, condition_half: Tensor) -> Tensor:  # type: ignore[override]
        """Return W_x x plus the result of :meth:`condition_half`.

        Args:
            x: (N, x_channels, H, W).
            condition_half: (B, out, H, W) with N = B·M, rows b-major.

        Returns:
            (N, out, H, W).
        """
        out = F.conv2d(x, self.weight[:, : self.x_channels], padding=self.padding)
        return per_clip(out, condition_half.shape[0]).add(condition_half.unsqueeze(1)).flatten(0, 1)


def per_clip(rows: Tensor, batch: int) -> Tensor:
    """Reshape rows (N, …) to (B, M, …), b-major, for broadcasting with a tensor of batch B.

    Raises:
        ValueError: N is not a multiple of B.
    """
    if batch == 0 or rows.shape[0] % batch:
        raise ValueError(f'a condition of batch {batch} does not fit {rows.shape[0]} rows: not a multiple of it')
    return rows.unflatten(0, (batch, -1))
