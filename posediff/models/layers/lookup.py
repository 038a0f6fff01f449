"""Lookup-based feature interaction of DiffPose at one resolution (Feng et al., ICCV 2023, section 3.3, eqs. 4 and 5).

A noisy heatmap tells where joints may be, not what they look like. So it is refined to a mask, the mask looks up the
spatiotemporal feature there, and what was looked up (local) interacts with the whole feature (global).

Axes: B clips, N = B·M rows, c channels of this resolution, H W its size.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.layers.convolution import ConcatConv2d, conv_block, per_clip, upsampling


class PreparedFeature(NamedTuple):
    """What the interaction needs of the condition, once per clip.

    Attributes:
        looked_up: (B, …) what the mask selects from.
        context: (B, …) the global half of the first linear map after the concatenation.
    """

    looked_up: Tensor
    context: Tensor


class LookupInteraction(nn.Module):
    """Common part: mask, lookup, interaction.

    Attributes:
        last_mask: (N, 1, H, W) of the last call in eval mode if ``keep_mask``, for pictures.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keep_mask = False
        self.last_mask: Tensor | None = None

    @abstractmethod
    def prepare(self, condition: Tensor) -> PreparedFeature:
        """Condition-only work: (B, C, H / factor, W / factor) of the spatiotemporal feature."""

    @abstractmethod
    def refine(self, heatmap: Tensor) -> Tensor:
        """Self-refinement: (N, c, H, W) to (N, c, H, W)."""

    @abstractmethod
    def interact(self, mask: Tensor, feature: PreparedFeature) -> Tensor:
        """Local and global features to the output resolution: mask (N, 1, H, W) to (N, out, 4H, 4W)."""

    def forward(self, heatmap: Tensor, feature: PreparedFeature) -> Tensor:
        """Interact at this resolution.

        Args:
            heatmap: (N, c, H, W) of the step-adaptive noisy heatmap's pyramid.
            feature: From :meth:`prepare`.

        Returns:
            (N, out, output size).
        """
        # A = Sigmoid(Sq(SeRef(x))), Sq the maximum over channels: eqs. 4 and 5, first row
        mask = self.refine(heatmap).amax(dim=1, keepdim=True).sigmoid()
        if self.keep_mask:
            self.last_mask = mask.detach()
        return self.interact(mask, feature)


class TransformerLookup(LookupInteraction):
    """Eq. 4, the low resolution: transformers refine the heatmap and let local and global features interact.

    Args:
        condition_channels: C of the spatiotemporal feature F.
        heatmap_channels: Channels of the noisy heatmap at this resolution.
        channels: c, a multiple of ``num_heads``.
        size: (H, W) of F.
        out_channels: Channels of the result.
        factor: Output size over ``size``.
        refine_depth, depth: Encoder layers of the self-refinement and of the interaction.
        num_heads, mlp_ratio: Of every encoder layer.
    """

    def __init__(
        self,
        condition_channels: int,
        heatmap_channels: int,
        channels: int,
        size: tuple[int, int],
        out_channels: int,
        factor: int,
        refine_depth: int = 1,
        depth: int = 2,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
    ) -> None:
        super().__init__()
        self.size = size
        tokens = size[0] * size[1]
        self.feature = upsampling(condition_channels, channels, 1)
        self.embedding = nn.Linear(heatmap_channels, channels)
        self.heatmap_position = nn.Parameter(torch.zeros(1, tokens, channels))
        self.refinement = encoder(channels, refine_depth, num_heads, mlp_ratio)
        self.local_map = nn.Linear(channels, channels, bias=False)
        self.global_map = nn.Linear(channels, channels)
        self.position = nn.Parameter(torch.zeros(1, tokens, channels))
        self.interaction = encoder(channels, depth, num_heads, mlp_ratio)
        self.norm = nn.LayerNorm(channels)
        self.up = upsampling(channels, out_channels, factor)
        for position in (self.heatmap_position, self.position):
            nn.init.trunc_normal_(position, std=0.02)

    def prepare(self, condition: Tensor) -> PreparedFeature:
        feature = to_tokens(self.feature(condition))
        # [A ⊙ F, F] W = A ⊙ (F W_local) + F W_global: the mask scales whole tokens, so both maps are the condition's
        return PreparedFeature(self.local_map(feature), self.global_map(feature) + self.position)

    def refine(self, heatmap: Tensor) -> Tensor:
        tokens = self.refinement(self.embedding(to_tokens(heatmap)) + self.heatmap_position)
        return to_map(tokens, self.size)

    def interact(self, mask: Tensor, feature: PreparedFeature) -> Tensor:
        batch = feature.context.shape[0]
        weight = per_clip(mask.flatten(2).transpose(1, 2), batch)
        tokens = torch.addcmul(feature.context.unsqueeze(1), weight, feature.looked_up.unsqueeze(1)).flatten(0, 1)
        return self.up(to_map(self.norm(self.interaction(tokens)), self.size))


class ConvLookup(LookupInteraction):
    """Eq. 5, a higher resolution: the same with convolutions.

    Args:
        condition_channels: C of the spatiotemporal feature F.
        heatmap_channels: Channels of the noisy heatmap at this resolution.
        channels: c.
        feature_factor: This resolution over F's.
        out_channels: Channels of the result.
        factor: Output size over this resolution.
        depth: Convolutions after the one that joins local and global feature.
    """

    def __init__(
        self,
        condition_channels: int,
        heatmap_channels: int,
        channels: int,
        feature_factor: int,
        out_channels: int,
        factor: int,
        depth: int = 1,
    ) -> None:
        super().__init__()
        self.feature = upsampling(condition_channels, channels, feature_factor)
        self.refinement = conv_block(heatmap_channels, channels)
        self.join = ConcatConv2d(channels, channels, channels)
        self.join_norm = nn.BatchNorm2d(channels)
        self.interaction = nn.Sequential(*(conv_block(channels, channels) for _ in range(depth)))
        # at the output resolution there is nothing to enlarge, only a width to match
        self.up = upsampling(channels, out_channels, factor) if factor > 1 else conv_block(channels, out_channels, 1)

    def prepare(self, condition: Tensor) -> PreparedFeature:
        feature = self.feature(condition)
        return PreparedFeature(feature, self.join.condition_half(feature))

    def refine(self, heatmap: Tensor) -> Tensor:
        return self.refinement(heatmap)

    def interact(self, mask: Tensor, feature: PreparedFeature) -> Tensor:
        batch = feature.looked_up.shape[0]
        local = (per_clip(mask, batch) * feature.looked_up.unsqueeze(1)).flatten(0, 1)  # A ⊙ F
        return self.up(self.interaction(F.relu(self.join_norm(self.join(local, feature.context)))))


def encoder(channels: int, depth: int, num_heads: int, mlp_ratio: float) -> nn.Sequential:
    """Cascaded pre-norm transformer encoder layers on tokens (N, S, channels), as in eq. 3."""
    return nn.Sequential(
        *(
            nn.TransformerEncoderLayer(
                channels,
                num_heads,
                round(channels * mlp_ratio),
                dropout=0.0,
                activation='gelu',
                batch_first=True,
                norm_first=True,
            )
            for _ in range(depth)
        )
    )


def to_tokens(maps: Tensor) -> Tensor:
    """(N, C, H, W) to (N, H·W, C)."""
    return maps.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, H·W, C) to (N, C, H, W)."""
    return tokens.transpose(1, 2).unflatten(2, size)
