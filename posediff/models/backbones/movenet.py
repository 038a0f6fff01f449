"""The backbone of MoveNet, a network that is trained for the pose of one person."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from posediff.fileio.checkpoint import check_state, load_state
from posediff.models.backbones.mobilenet_v2 import MobileNetV2, SeparableConv2d
from posediff.models.backbones.movenet_keypoints import JOINTS, MoveNetHeads, person_maps
from posediff.registry import BACKBONES
from posediff.structures.argument_checks import require_one_of

WIDTHS = {'lightning': 1.0, 'thunder': 1.75}
STRIDES = (4, 8, 16, 32)
PREFIX = 'backbone.'
PYRAMID = {16: 64, 8: 32, 4: 24}
"""Channels of the lateral map by stride. After the addition, a level has the channels of the next one."""


@BACKBONES.register_module()
class MoveNetBackbone(BaseModule):
    """MobileNetV2 with a feature pyramid, as in Google's MoveNet (Lightning and Thunder, version 4).

    The BatchNorms are folded into the convolutions, which are trained as they are: with a small learning rate, 6e-5
    with AdamW (``paramwise_cfg``); 5e-4 destroys the features. Images are RGB, scaled to -1 … 1
    (``ClipPreprocessor`` with ``mean`` and ``std`` 127.5), of any size that is a multiple of 32.

    Building it touches no files; :meth:`init_weights` reads the checkpoint.

    Args:
        variant: ``'lightning'`` (2.3 M parameters) or ``'thunder'`` (6.2 M).
        stride: Stride of the map: 4 (24 channels), 8 (24) or 16 (32) of the pyramid; 32: the end of MobileNetV2, 1280
            channels. Layers that the map does not need are not built.
        checkpoint: File of ``posediff convert movenet``, or a trained posediff model, whose backbone is taken.
        keypoints: Append MoveNet's own result, 34 channels at stride 4: its 17 heatmaps (COCO's joints), and for each
            joint of the central person a Gaussian (standard deviation 2 cells) at its place, multiplied by its score.
        init_cfg: MMEngine's.

    Attributes:
        out_channels: Channels of the map.
    """

    def __init__(
        self,
        variant: str = 'lightning',
        stride: int = 4,
        checkpoint: str | Path | None = None,
        keypoints: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        require_one_of(type(self).__name__, 'variant', variant, tuple(WIDTHS))
        if stride not in STRIDES:
            raise ValueError(f'{type(self).__name__}: stride must be one of {STRIDES}, got {stride}')
        self.stride = stride
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        levels = tuple(level for level in STRIDES if level >= stride)
        self.trunk = MobileNetV2(WIDTHS[variant], levels)
        self.pyramid = FeaturePyramid(self.trunk.channels, levels[:-1][::-1]) if stride < 32 else None
        self.out_channels = self.trunk.channels[32] if self.pyramid is None else self.pyramid.out_channels
        if keypoints and stride != 4:
            raise ValueError(f'{type(self).__name__}: keypoints are found in the map of stride 4, got stride {stride}')
        self.heads = None
        if keypoints:
            self.heads = MoveNetHeads()
            self.out_channels += 2 * JOINTS
            for head in (self.heads.center, self.heads.regression):  # they only choose cells: no gradient reaches them
                head.requires_grad_(False)

    def init_weights(self) -> None:
        """Read the weights of the checkpoint.

        Raises:
            ValueError: The file holds those of another model.
        """
        super().init_weights()
        if self.checkpoint is not None:
            state = load_state(self.checkpoint)
            inside = {name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)}
            own = self.state_dict()  # the file may have layers that this stride does not need
            # MoveNet's own file has the heads beside the backbone, a trained model inside it
            known = {name: value for name, value in {**state, **inside}.items() if name in own}
            check_state(self, known, self.checkpoint)
            self.load_state_dict(known)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to (N, out_channels, H / stride, W / stride).

        Raises:
            ValueError: H or W is not a multiple of 32.
        """
        if images.shape[-2] % 32 or images.shape[-1] % 32:
            height, width = images.shape[-2:]
            raise ValueError(f'MoveNetBackbone needs images whose sides are multiples of 32 px, got {height}×{width}')
        # depthwise convolutions take two thirds of the time in this memory format on CPUs
        maps = self.trunk(images.contiguous(memory_format=torch.channels_last))
        features: Tensor = maps[32] if self.pyramid is None else self.pyramid(maps)
        if self.heads is None:
            return features
        found = self.heads(features)
        return torch.cat([features, found['heatmap'], person_maps(found)], dim=1)

    def person_scores(self, maps: Tensor) -> Tensor:
        """Return how certain it is that there is a person: the mean maximum of MoveNet's heatmaps, (N,) in [0, 1].

        Args:
            maps: (N, out_channels, h, w), from :meth:`forward`.

        Raises:
            ValueError: The backbone has no keypoints.
        """
        if self.heads is None:
            raise ValueError('MoveNetBackbone has no scores of a person without keypoints=True')
        return maps[:, -2 * JOINTS : -JOINTS].amax((-2, -1)).mean(-1)


class FeaturePyramid(nn.Module):
    """Add maps from the deepest to the finest: double the size, add the lateral map, filter.

    Args:
        channels: Channels of the maps, by stride.
        levels: Strides of the lateral maps, descending, e.g. ``(16, 8, 4)``; the deepest map has stride 32.
    """

    def __init__(self, channels: dict[int, int], levels: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = levels
        self.top = nn.Conv2d(channels[32], PYRAMID[levels[0]], 1)
        self.lateral = nn.ModuleDict({str(level): nn.Conv2d(channels[level], PYRAMID[level], 1) for level in levels})
        self.smooth = nn.ModuleDict(
            {str(level): SeparableConv2d(PYRAMID[level], PYRAMID.get(level // 2, PYRAMID[level])) for level in levels}
        )
        self.out_channels = PYRAMID.get(levels[-1] // 2, PYRAMID[levels[-1]])

    def forward(self, maps: dict[int, Tensor]) -> Tensor:
        """Return the map of the finest level from maps (N, C, H / stride, W / stride) by stride."""
        x: Tensor = self.top(maps[32])
        for level in self.levels:
            x = F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)
            x = F.relu(self.smooth[str(level)](x + self.lateral[str(level)](maps[level])), inplace=True)
        return x
