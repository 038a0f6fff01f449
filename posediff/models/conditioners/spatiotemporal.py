"""Conditioners of DiffPose: the spatiotemporal representation learner, and its single-frame baseline."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.conditioners.base import BaseConditioner
from posediff.models.conditioners.frame_embedding import FrameEmbedding
from posediff.models.layers.lookup import encoder, to_map, to_tokens
from posediff.models.layers.shapes import HEATMAP_FACTOR
from posediff.registry import CONDITIONERS


@CONDITIONERS.register_module()
class SpatioTemporalConditioner(BaseConditioner):
    """Spatiotemporal representation learner, STRL (Feng et al., ICCV 2023, section 3.2, eq. 3).

    The feature maps of all frames are embedded as tokens with a learned position embedding, which attend to each other
    in cascaded encoder layers. A perceptron aggregates the frames at every position of the map.

    Args:
        in_channels: Channels of the feature maps.
        num_frames: T = 2δ + 1.
        size: (H, W) of the output, 1/16 of the image (1/4 of the heatmap).
        channels: C of the output and of every token.
        depth: L, number of encoder layers.
        num_heads, mlp_ratio: Number of heads and relative hidden width of every encoder layer.
        patch_size, rearrange: See :class:`FrameEmbedding`.
        detail: Append the key frame's own map, rearranged to the output size by ``pixel_unshuffle``: another
            ``in_channels · patch_size²`` channels, so that decoders have its full resolution. ``patch_size`` must be 4.
            Not in the paper, whose backbone has no finer maps.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    num_frames: int

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
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_frames < 1:
            raise ValueError(f'num_frames must be at least 1, got {num_frames}')
        self.num_frames = num_frames
        self.size = (size[0], size[1])
        self.detail_factor = detail_factor(type(self).__name__, detail, patch_size, rearrange)
        self.embedding = FrameEmbedding(in_channels, channels, patch_size, rearrange)
        self.position = nn.Parameter(torch.zeros(num_frames, size[0] * size[1], channels))
        self.encoder = encoder(channels, depth, num_heads, mlp_ratio)
        self.norm = nn.LayerNorm(channels)
        self.aggregation = nn.Sequential(
            nn.Linear(num_frames * channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, features: Tensor) -> Tensor:
        """Aggregate the frames.

        Args:
            features: (B, T, in_channels, h, w) feature maps in temporal order.

        Returns:
            (B, C, H, W), C with the channels of the detail.

        Raises:
            ValueError: The number of frames or channels, or the size, is not that of the conditioner.
        """
        check_frames(type(self).__name__, features, self.num_frames)
        maps = self.embedding(features.flatten(0, 1))
        if maps.shape[2:] != self.size:
            raise ValueError(
                f'{type(self).__name__} was built for size {self.size}, but feature maps of size '
                f'{tuple(features.shape[3:])} are embedded as {tuple(maps.shape[2:])}: size, patch_size or rearrange '
                'do not fit the backbone'
            )
        tokens = to_tokens(maps).unflatten(0, features.shape[:2]) + self.position
        tokens = self.norm(self.encoder(tokens.flatten(1, 2)))
        # (B, T·S, C) to (B, S, T·C): concatenates the frames of each position
        joined = tokens.unflatten(1, (self.num_frames, -1)).transpose(1, 2).flatten(2)
        return with_detail(to_map(self.aggregation(joined), self.size), features, self.detail_factor)


@CONDITIONERS.register_module()
class SingleFrameConditioner(BaseConditioner):
    """The embedded feature map of the key frame: the condition of DiffPose's baseline Direct-single (section 4.3).

    Args:
        in_channels: Channels of the feature maps.
        num_frames: T; the key frame is the middle one.
        channels: C of the output.
        patch_size, rearrange: See :class:`FrameEmbedding`.
        detail: See :class:`SpatioTemporalConditioner`.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    num_frames: int

    def __init__(
        self,
        in_channels: int,
        num_frames: int = 1,
        channels: int = 256,
        patch_size: int = 1,
        rearrange: int = 1,
        detail: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_frames < 1 or num_frames % 2 == 0:
            raise ValueError(f'num_frames must be odd, so that one is in the middle, got {num_frames}')
        self.num_frames = num_frames
        self.embedding = FrameEmbedding(in_channels, channels, patch_size, rearrange)
        self.detail_factor = detail_factor(type(self).__name__, detail, patch_size, rearrange)

    def forward(self, features: Tensor) -> Tensor:
        """Embed the middle frame: (B, T, in_channels, h, w) to (B, C, H, W), C with the channels of the detail.

        Raises:
            ValueError: The number of frames or channels is not that of the conditioner.
        """
        check_frames(type(self).__name__, features, self.num_frames)
        maps = self.embedding(features[:, self.num_frames // 2])
        return with_detail(maps, features, self.detail_factor)


def detail_factor(owner: str, detail: bool, patch_size: int, rearrange: int) -> int | None:
    """Return the size of the key frame's map divided by that of the condition; None without detail.

    Raises:
        ValueError: Decoders cannot read a detail of this factor.
    """
    if detail and (patch_size, rearrange) != (HEATMAP_FACTOR, 1):
        raise ValueError(
            f'{owner}: detail needs patch_size {HEATMAP_FACTOR} and rearrange 1, got {patch_size} and {rearrange}'
        )
    return HEATMAP_FACTOR if detail else None


def with_detail(condition: Tensor, features: Tensor, factor: int | None) -> Tensor:
    """Append the key frame's own map to a condition.

    Args:
        condition: (B, C, H, W).
        features: (B, T, in_channels, factor · H, factor · W).
        factor: None: return the condition as it is.

    Returns:
        (B, C + in_channels · factor², H, W).
    """
    if factor is None:
        return condition
    return torch.cat([condition, F.pixel_unshuffle(features[:, features.shape[1] // 2], factor)], dim=1)


def check_frames(owner: str, features: Tensor, num_frames: int) -> None:
    """Check that feature maps have the number of frames of a conditioner.

    Raises:
        ValueError: The number of frames differs, or the tensor does not have five axes.
    """
    if features.dim() != 5 or features.shape[1] != num_frames:
        raise ValueError(
            f'{owner} was built for maps (B, {num_frames} frames, C, h, w) of the backbone, got {tuple(features.shape)}'
        )
