"""DiffPose's spatiotemporal representation learner, and its counterpart that looks at one frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posediff.models.conditioners.base import BaseConditioner
from posediff.models.conditioners.frame_embedding import FrameEmbedding
from posediff.models.layers.lookup import encoder, to_map, to_tokens
from posediff.registry import CONDITIONERS


@CONDITIONERS.register_module()
class SpatioTemporalConditioner(BaseConditioner):
    """Spatiotemporal representation learner, STRL (Feng et al., ICCV 2023, section 3.2, eq. 3).

    Every frame's map is embedded, the tokens of all frames get a learned position, attend to each other in cascaded
    encoders, and a perceptron makes one feature of the frames at every place.

    Args:
        in_channels: Of the backbone's maps.
        num_frames: T = 2δ + 1.
        size: (H, W) of the result, a 16th of the image (the heatmap's quarter).
        channels: C of the result and of every token.
        depth: L, encoder layers.
        num_heads, mlp_ratio: Of every layer.
        patch_size, rearrange: See :class:`FrameEmbedding`.
        init_cfg: MMEngine's.
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
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_frames < 1:
            raise ValueError(f'num_frames must be at least 1, got {num_frames}')
        self.num_frames = num_frames
        self.size = (size[0], size[1])
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
            features: (B, T, in_channels, h, w) of the backbone, in temporal order.

        Returns:
            (B, C, H, W).

        Raises:
            ValueError: Another number of frames, channels or another size than the conditioner was built for.
        """
        check_frames(type(self).__name__, features, self.num_frames)
        maps = self.embedding(features.flatten(0, 1))
        if maps.shape[2:] != self.size:
            raise ValueError(
                f'{type(self).__name__} was built for {self.size} places, got {tuple(maps.shape[2:])} of maps '
                f'{tuple(features.shape[3:])}: size, patch_size or rearrange do not fit the backbone'
            )
        tokens = to_tokens(maps).unflatten(0, features.shape[:2]) + self.position
        tokens = self.norm(self.encoder(tokens.flatten(1, 2)))
        # (B, T·S, C) to (B, S, T·C): the frames of one place side by side
        joined = tokens.unflatten(1, (self.num_frames, -1)).transpose(1, 2).flatten(2)
        return to_map(self.aggregation(joined), self.size)


@CONDITIONERS.register_module()
class SingleFrameConditioner(BaseConditioner):
    """The key frame's map alone, embedded: the condition of DiffPose's baseline Direct-single (section 4.3).

    Args:
        in_channels: Of the backbone's maps.
        num_frames: T; the key frame is the middle one.
        channels: C of the result.
        patch_size, rearrange: See :class:`FrameEmbedding`.
        init_cfg: MMEngine's.
    """

    num_frames: int

    def __init__(
        self,
        in_channels: int,
        num_frames: int = 1,
        channels: int = 256,
        patch_size: int = 1,
        rearrange: int = 1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_frames < 1 or num_frames % 2 == 0:
            raise ValueError(f'num_frames must be odd, so that one is in the middle, got {num_frames}')
        self.num_frames = num_frames
        self.embedding = FrameEmbedding(in_channels, channels, patch_size, rearrange)

    def forward(self, features: Tensor) -> Tensor:
        """Embed the middle frame: (B, T, in_channels, h, w) to (B, C, H, W).

        Raises:
            ValueError: Another number of frames or channels than the conditioner was built for.
        """
        check_frames(type(self).__name__, features, self.num_frames)
        return self.embedding(features[:, self.num_frames // 2])


def check_frames(owner: str, features: Tensor, num_frames: int) -> None:
    """Require maps of the number of frames that a conditioner was built for.

    Raises:
        ValueError: There are others, or the tensor has other axes.
    """
    if features.dim() != 5 or features.shape[1] != num_frames:
        raise ValueError(
            f'{owner} was built for maps (B, {num_frames} frames, C, h, w) of the backbone, got {tuple(features.shape)}'
        )
