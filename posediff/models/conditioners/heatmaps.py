"""The conditioner of DiffPose on joint coordinates: a feature map with heatmaps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posediff.models.conditioners.spatiotemporal import SpatioTemporalConditioner
from posediff.models.layers.convolution import constant_output, feature_upsampling
from posediff.models.layers.shapes import HEATMAP_FACTOR
from posediff.registry import CONDITIONERS


@CONDITIONERS.register_module()
class HeatmapConditioner(SpatioTemporalConditioner):
    """STRL with a heatmap head: the upsampled feature and the heatmaps that it predicts are the condition.

    Two transposed convolutions upsample the feature, a 1×1 convolution predicts a logit for every cell, as in
    SimpleBaseline. The heatmap of a joint is the softmax over its cells;
    :class:`posediff.models.heads.keypoint.KeypointHead` trains it.

    Args:
        in_channels, num_frames, size, channels, depth, num_heads, mlp_ratio, patch_size, rearrange, detail: See
            :class:`posediff.models.conditioners.spatiotemporal.SpatioTemporalConditioner`.
        num_joints: K, heatmaps.
        map_channels: C, width of the upsampled feature.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        in_channels: int,
        num_frames: int = 5,
        size: tuple[int, int] = (16, 12),
        channels: int = 256,
        depth: int = 4,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        patch_size: int = 1,
        rearrange: int = 1,
        detail: bool = False,
        num_joints: int = 15,
        map_channels: int = 64,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            in_channels, num_frames, size, channels, depth, num_heads, mlp_ratio, patch_size, rearrange, detail,
            init_cfg,
        )  # fmt: skip
        finer = in_channels if detail else 0
        self.upsampling = feature_upsampling(channels + finer * patch_size**2, map_channels, HEATMAP_FACTOR, finer)
        self.detection = constant_output(nn.Conv2d(map_channels, num_joints, 1), 0.0)

    def forward(self, features: Tensor) -> Tensor:
        """Aggregate the frames: (B, T, in_channels, h, w) to (B, C + K, 4H, 4W).

        :func:`posediff.models.layers.keypoint_refinement.cell_logits` reads the last K channels.
        """
        maps = self.upsampling(super().forward(features))
        return torch.cat([maps, self.detection(maps)], dim=1)
