"""The temporal convolutional lifter of VideoPose3D."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from posediff.models.layers.shapes import CLIP_AXES, check_shape
from posediff.registry import MODELS
from posediff.structures.skeletons import get_skeleton


@MODELS.register_module()
class TemporalConvolution(BaseModule):
    """Dilated convolutions over the frames of a clip (Pavllo et al., "VideoPose3D", CVPR 2019, section 3).

    The paper predicts the middle frame of a receptive field. Here every frame of the window is predicted; beyond the
    ends of the window the end frame is repeated, as the paper does at the ends of a video.

    Args:
        in_channels: Channels per 2D joint.
        channels: Features per joint; 3 are enough for a head that is linear.
        hidden_channels: Width of the convolutions; 1024 in the paper.
        kernel_sizes: Odd kernel sizes; the receptive field is their product, 27 for ``(3, 3, 3)``. The first layer has
            no dilation, each further one that of the product of those before.
        dropout: Probability.
        num_frames: T.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K.
        init_cfg: See :class:`mmengine.model.BaseModule`.

    Raises:
        ValueError: A kernel size is even or below 1, or there is none.
    """

    def __init__(
        self,
        in_channels: int = 2,
        channels: int = 3,
        hidden_channels: int = 1024,
        kernel_sizes: Sequence[int] = (3, 3, 3),
        dropout: float = 0.25,
        num_frames: int = 27,
        skeleton: str = 'h36m17',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if not kernel_sizes or any(size < 1 or size % 2 == 0 for size in kernel_sizes):
            raise ValueError(f'{type(self).__name__}: kernel_sizes must be odd numbers, got {kernel_sizes!r}')
        num_joints = get_skeleton(skeleton).num_joints
        self.num_frames = num_frames
        self.input_shape = (num_frames, num_joints, in_channels)
        self.channels = channels
        self.receptive_field = prod(kernel_sizes)
        self.expansion = _layer(num_joints * in_channels, hidden_channels, kernel_sizes[0], 1, dropout)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *_layer(hidden_channels, hidden_channels, size, prod(kernel_sizes[:number]), dropout),
                *_layer(hidden_channels, hidden_channels, 1, 1, dropout),
            )
            for number, size in enumerate(kernel_sizes)
            if number > 0
        )
        self.output = nn.Conv1d(hidden_channels, num_joints * channels, 1)

    def forward(self, keypoints: Tensor) -> Tensor:
        """Map normalised 2D joints (B, T, K, in_channels) to features (B, T, K, channels).

        Raises:
            ValueError: The clip has another number of frames, joints or channels.
        """
        check_shape(type(self).__name__, 'keypoints', keypoints, self.input_shape, CLIP_AXES)
        around = self.receptive_field // 2
        x = self.expansion(F.pad(keypoints.flatten(2).transpose(1, 2), (around, around), mode='replicate'))
        for block in self.blocks:
            found = block(x)
            cut = (x.shape[-1] - found.shape[-1]) // 2
            x = x[..., cut : x.shape[-1] - cut] + found
        return self.output(x).transpose(1, 2).unflatten(-1, (-1, self.channels))


def _layer(in_channels: int, channels: int, size: int, dilation: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(in_channels, channels, size, dilation=dilation, bias=False),
        nn.BatchNorm1d(channels),
        nn.ReLU(),
        nn.Dropout(dropout),
    )
