"""MobileNetV2 with its BatchNorms folded into the convolutions.

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, table 2. Convolutions are
padded as TensorFlow pads (``SAME``), since the published weights are trained so.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

# (channels, number of blocks, stride of the first) at width 1
STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
STEM, LAST, EXPANSION = 32, 1280, 6


class SameConv2d(nn.Conv2d):
    """A convolution padded to ``ceil(size / stride)``, with the odd pixel of padding at the right and bottom."""

    def forward(self, x: Tensor) -> Tensor:
        around: list[tuple[int, int]] = []  # (before, after) of height and width
        for size, kernel, stride in zip(x.shape[2:], self.kernel_size, self.stride, strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            around.append((total // 2, total - total // 2))
        if all(before == after for before, after in around):  # without a padded copy of the map
            padding = around[0][0], around[1][0]
            return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        return super().forward(F.pad(x, [*around[1], *around[0]]))


class SeparableConv2d(nn.Module):
    """A 3×3 filter per channel without bias, then a 1×1 convolution; (N, C, H, W) to (N, out_channels, H, W)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = SameConv2d(in_channels, in_channels, 3, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        pointwise: Tensor = self.pointwise(self.depthwise(x))
        return pointwise


class InvertedResidual(nn.Module):
    """Expand the channels, filter each of them, project: x + f(x) where the shapes allow it.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Stride of the filter.
        expansion: Factor of the channels in between; 1: there is no expansion layer.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        between = in_channels * expansion
        self.expand = nn.Conv2d(in_channels, between, 1) if expansion > 1 else None
        self.depthwise = SameConv2d(between, between, 3, stride, groups=between)
        self.project = nn.Conv2d(between, out_channels, 1)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, out_channels, H / stride, W / stride)."""
        between = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        out: Tensor = self.project(F.relu6(self.depthwise(between), inplace=True))
        return x + out if self.residual else out


class MobileNetV2(nn.Module):
    """The feature maps of MobileNetV2 at strides 4, 8, 16 and 32.

    Args:
        width: Factor of the channels, which are rounded to multiples of 8 as in the reference code; the last layer has
            1280 at any width, as in MoveNet.
        strides: Strides of the wanted maps, ascending. Layers behind the last one are not built.

    Attributes:
        channels: Channels by stride.
    """

    def __init__(self, width: float = 1.0, strides: tuple[int, ...] = (4, 8, 16, 32)) -> None:
        super().__init__()
        self.strides = strides
        self.channels: dict[int, int] = {}
        channels, stride = rounded(STEM * width), 2
        self.stem = SameConv2d(3, channels, 3, 2)
        self.blocks = nn.ModuleList()
        self._taken: dict[int, int] = {}  # last block of a stride
        for index, (out, repeats, first) in enumerate(STAGES):
            if stride * first > strides[-1]:
                break
            stride *= first
            for repeat in range(repeats):
                expansion = 1 if index == 0 else EXPANSION
                self.blocks.append(
                    InvertedResidual(channels, rounded(out * width), first if repeat == 0 else 1, expansion)
                )
                channels = rounded(out * width)
                if stride < 16 or index == 3:  # the map of stride 16 is taken before it gets wider
                    self._taken[stride] = len(self.blocks) - 1
                    self.channels[stride] = channels
            if index == 3 and strides[-1] == 16:
                break
        self.last = None
        if strides[-1] == 32:
            self.channels[32] = LAST
            self.last = nn.Conv2d(channels, LAST, 1)

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """Map images (N, 3, H, W) to maps (N, C, H / stride, W / stride), by stride."""
        maps: dict[int, Tensor] = {}
        x = F.relu6(self.stem(images), inplace=True)
        for index, block in enumerate(self.blocks):
            x = block(x)
            for stride in self.strides:
                if self._taken.get(stride) == index:
                    maps[stride] = x
        if self.last is not None:
            maps[32] = F.relu6(self.last(x), inplace=True)
        return maps


def rounded(channels: float) -> int:
    """Round to a multiple of 8, not down by more than a tenth (``_make_divisible`` of the reference code)."""
    whole = max(8, int(channels + 4) // 8 * 8)
    return whole + 8 if whole < 0.9 * channels else whole
