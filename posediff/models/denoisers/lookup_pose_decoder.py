"""The Pose-Decoder of DiffPose: lookup-based multi-scale feature interaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posediff.models.denoisers.prepared import HeatmapDenoiser
from posediff.models.layers.convolution import constant_output, conv_block
from posediff.models.layers.lookup import ConvLookup, LookupInteraction, PreparedFeature, TransformerLookup
from posediff.models.layers.shapes import HEATMAP_FACTOR
from posediff.registry import DENOISERS

FUSIONS = ('sum', 'concat')
MASKS = ('shared', 'joint')


class LookupCondition(NamedTuple):
    """The contributions of the condition to each resolution."""

    features: tuple[PreparedFeature, ...]


@DENOISERS.register_module()
class LookupPoseDecoder(HeatmapDenoiser):
    """Pose-Decoder with lookup-based multi-scale feature interaction, LMSFI (Feng et al., ICCV 2023, section 3.3).

    x_t is rescaled by the step embedding and downsampled to 1/4, 1/2 and 1 of its size; the spatiotemporal feature F is
    upsampled by 1, 2 and 4. At each resolution, the heatmap looks up the feature (eqs. 4 and 5). The results are fused
    at the heatmap size, and a 3×3 convolution predicts the output.

    Args:
        num_joints: K, heatmaps.
        heatmap_size: (h, w) of x_t, a multiple of 4.
        condition_channels: C of F, which is (B, C, h / 4, w / 4).
        channels: Widths of the resolutions from low to high; with one number, only the low resolution is used (the
            paper's ablation "Low-resolution"), with two, the highest is omitted.
        out_channels: Width of the fused features.
        refine_depth, depth: Numbers of transformer layers for self-refinement and interaction at the low resolution.
        conv_depth: Number of convolutions of the interaction at the higher resolutions, after the first.
        num_heads, mlp_ratio: Number of heads and relative hidden width of every transformer layer.
        fusion: ``'sum'`` adds the resolutions, ``'concat'`` concatenates and maps them (the paper's ablation).
        step_channels: Width of the step embedding.
        detail_channels: Channels of the key frame's own map in F, see
            :class:`posediff.models.conditioners.spatiotemporal.SpatioTemporalConditioner`.
        masks: ``'shared'``: one mask per resolution for all joints, as in the paper. ``'joint'``: one for each joint
            (:class:`posediff.models.layers.lookup.JointMasks`; not in the paper).
        self_conditioning: Whether the estimate of x_0 of the previous call is a further input (Chen et al., "Analog
            Bits", ICLR 2023; not in the paper of this network).
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        num_joints: int = 17,
        heatmap_size: tuple[int, int] = (64, 48),
        condition_channels: int = 256,
        channels: Sequence[int] = (256, 128, 64),
        out_channels: int = 64,
        refine_depth: int = 1,
        depth: int = 2,
        conv_depth: int = 1,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        fusion: str = 'sum',
        step_channels: int = 128,
        detail_channels: int = 0,
        masks: str = 'shared',
        self_conditioning: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            num_joints, heatmap_size, condition_channels, HEATMAP_FACTOR, step_channels, init_cfg, self_conditioning
        )
        if not 1 <= len(channels) <= 3:
            raise ValueError(f'channels must name the widths of 1 to 3 resolutions, got {channels!r}')
        if fusion not in FUSIONS:
            raise ValueError(f'fusion must be one of {", ".join(FUSIONS)}, got {fusion!r}')
        if masks not in MASKS:
            raise ValueError(f'masks must be one of {", ".join(MASKS)}, got {masks!r}')
        mask_joints = num_joints if masks == 'joint' else None
        self.fusion = fusion
        middle = channels[1] if len(channels) > 1 else channels[0]
        self.down_half = conv_block(self.input_channels, middle, stride=2)
        self.down_quarter = conv_block(middle, channels[0], stride=2)
        heatmap_channels = (channels[0], middle, self.input_channels)
        low = TransformerLookup(
            condition_channels, channels[0], channels[0], self.condition_shape[1:], out_channels, HEATMAP_FACTOR,
            refine_depth, depth, num_heads, mlp_ratio, detail_channels, mask_joints,
        )  # fmt: skip
        higher = [
            ConvLookup(
                condition_channels,
                given,
                width,
                2**level,
                out_channels,
                HEATMAP_FACTOR // 2**level,
                conv_depth,
                detail_channels,
                mask_joints,
            )  # fmt: skip
            for level, (given, width) in enumerate(zip(heatmap_channels, channels, strict=False))
            if level > 0
        ]
        self.resolutions = nn.ModuleList([low, *higher])
        fused = out_channels * len(channels)
        self.fuse = conv_block(fused, out_channels, 1) if fusion == 'concat' else nn.Identity()
        self.detection = constant_output(nn.Conv2d(out_channels, num_joints, 3, padding=1), 0.0)

    def project(self, condition: Tensor) -> LookupCondition:
        """Compute the feature pyramid and everything else that depends on the condition only."""
        return LookupCondition(tuple(resolution.prepare(condition) for resolution in self._resolutions()))

    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: LookupCondition) -> Tensor:
        heatmap = self.rescaling(x_t, timestep)
        half = self.down_half(heatmap)
        pyramid = (self.down_quarter(half), half, heatmap)
        found = [
            resolution(noisy, feature)
            for resolution, noisy, feature in zip(self._resolutions(), pyramid, prepared.features, strict=False)
        ]
        fused = torch.cat(found, dim=1) if self.fusion == 'concat' else torch.stack(found).sum(0)
        return self.detection(self.fuse(fused))

    def _resolutions(self) -> list[LookupInteraction]:
        return list(self.resolutions)  # type: ignore[arg-type]
