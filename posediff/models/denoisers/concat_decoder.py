"""The baseline decoder of DiffPose: noisy heatmaps and image features are concatenated."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.denoisers.prepared import HeatmapDenoiser
from posediff.models.layers.convolution import ConcatConv2d, constant_output, conv_block, feature_upsampling
from posediff.registry import DENOISERS


class ConcatCondition(NamedTuple):
    """The contribution of the condition to the first convolution, (B, channels, h, w)."""

    half: Tensor


@DENOISERS.register_module()
class ConcatPoseDecoder(HeatmapDenoiser):
    """The decoder of DiffPose's baselines Direct-single and Direct-multi (Feng et al., ICCV 2023, section 4.3).

    The feature map is upsampled to the heatmap size, concatenated with the rescaled noisy heatmaps, and aggregated by
    convolutions. The conditioner distinguishes the two baselines.

    Args:
        num_joints: K.
        heatmap_size: (h, w) of x_t.
        condition_channels: C of the feature (B, C, h / feature_factor, w / feature_factor).
        channels: Width of the convolutions.
        depth: Number of convolutions between the first and the output layer.
        feature_factor: Heatmap size divided by feature size, a power of 2.
        step_channels: Width of the step embedding.
        detail_channels: Channels of the key frame's own map in the feature, see
            :class:`posediff.models.conditioners.spatiotemporal.SpatioTemporalConditioner`.
        self_conditioning: Whether the estimate of x_0 of the previous call is a further input (Chen et al., "Analog
            Bits", ICLR 2023; not in the paper of this network).
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        num_joints: int = 17,
        heatmap_size: tuple[int, int] = (64, 48),
        condition_channels: int = 256,
        channels: int = 128,
        depth: int = 2,
        feature_factor: int = 4,
        step_channels: int = 128,
        detail_channels: int = 0,
        self_conditioning: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            num_joints, heatmap_size, condition_channels, feature_factor, step_channels, init_cfg, self_conditioning
        )
        self.feature = feature_upsampling(condition_channels, channels, feature_factor, detail_channels)
        self.join = ConcatConv2d(self.input_channels, channels, channels)
        self.join_norm = nn.BatchNorm2d(channels)
        self.aggregation = nn.Sequential(*(conv_block(channels, channels) for _ in range(depth)))
        self.detection = constant_output(nn.Conv2d(channels, num_joints, 3, padding=1), 0.0)

    def project(self, condition: Tensor) -> ConcatCondition:
        """Upsample the feature and compute its half of the first convolution."""
        return ConcatCondition(self.join.condition_half(self.feature(condition)))

    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: ConcatCondition) -> Tensor:
        joined = self.join(self.rescaling(x_t, timestep), prepared.half)
        return self.detection(self.aggregation(F.relu(self.join_norm(joined))))
