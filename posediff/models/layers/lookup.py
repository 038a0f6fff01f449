"""Lookup-based feature interaction of DiffPose at one resolution (Feng et al., ICCV 2023, section 3.3, eqs. 4 and 5).

The noisy heatmap is refined to a mask. The mask selects from the spatiotemporal feature (lookup), and the selected
local features interact with the whole (global) feature.

Axes: B clips, N = B·M rows, c channels of this resolution, H, W its size.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.layers.convolution import ConcatConv2d, conv_block, feature_upsampling, per_clip, upsampling


class PreparedFeature(NamedTuple):
    """The contribution of the condition to the interaction, computed once per clip.

    Attributes:
        looked_up: (B, …), features that the mask selects from.
        context: (B, …), contribution of the global feature to the first linear map after the concatenation.
    """

    looked_up: Tensor
    context: Tensor


class LookupInteraction(nn.Module):
    """Lookup and interaction at one resolution.

    Attributes:
        keep_mask: Whether to store the mask of each call, for visualisation.
        last_mask: (N, 1, H, W), mask of the last call if ``keep_mask``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keep_mask = False
        self.last_mask: Tensor | None = None

    @abstractmethod
    def prepare(self, condition: Tensor) -> PreparedFeature:
        """Compute the contribution of the condition, the spatiotemporal feature (B, C, H / factor, W / factor)."""

    @abstractmethod
    def refine(self, heatmap: Tensor) -> Tensor:
        """Refine the heatmap features (N, c, H, W); the shape is kept."""

    @abstractmethod
    def interact(self, mask: Tensor, feature: PreparedFeature) -> Tensor:
        """Combine local and global features with a mask (N, 1, H, W); returns (N, out, output size)."""

    def forward(self, heatmap: Tensor, feature: PreparedFeature) -> Tensor:
        """Compute the features at this resolution.

        Args:
            heatmap: (N, c, H, W), level of the pyramid of the rescaled noisy heatmap.
            feature: Result of :meth:`prepare`.

        Returns:
            (N, out, output size).
        """
        # A = Sigmoid(Sq(SeRef(x))) with the maximum over channels as Sq: first row of eqs. 4 and 5
        mask = self.refine(heatmap).amax(dim=1, keepdim=True).sigmoid()
        if self.keep_mask:
            self.last_mask = mask.detach()
        return self.interact(mask, feature)


class TransformerLookup(LookupInteraction):
    """Lookup at the low resolution (eq. 4): refinement and interaction by transformer layers.

    Args:
        condition_channels: C of the spatiotemporal feature F.
        heatmap_channels: Channels of the noisy heatmap at this resolution.
        channels: c, a multiple of ``num_heads``.
        size: (H, W) of F.
        out_channels: Channels of the output.
        factor: Output size divided by ``size``.
        refine_depth, depth: Numbers of encoder layers for self-refinement and interaction.
        num_heads, mlp_ratio: Number of heads and relative hidden width of every encoder layer.
        detail_channels: See :class:`posediff.models.layers.convolution.DetailedUpsampling`.
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
        detail_channels: int = 0,
    ) -> None:
        super().__init__()
        self.size = size
        tokens = size[0] * size[1]
        self.feature = feature_upsampling(condition_channels, channels, 1, detail_channels)
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
        # [A ⊙ F, F] W = A ⊙ (F W_local) + F W_global, since A scales whole tokens: both products depend on F only
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
    """Lookup at a higher resolution (eq. 5): refinement and interaction by convolutions.

    Args:
        condition_channels: C of the spatiotemporal feature F.
        heatmap_channels: Channels of the noisy heatmap at this resolution.
        channels: c.
        feature_factor: This resolution divided by that of F.
        out_channels: Channels of the output.
        factor: Output size divided by this resolution.
        depth: Number of convolutions after the first one on local and global features.
        detail_channels: See :class:`posediff.models.layers.convolution.DetailedUpsampling`.
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
        detail_channels: int = 0,
    ) -> None:
        super().__init__()
        self.feature = feature_upsampling(condition_channels, channels, feature_factor, detail_channels)
        self.refinement = conv_block(heatmap_channels, channels)
        self.join = ConcatConv2d(channels, channels, channels)
        self.join_norm = nn.BatchNorm2d(channels)
        self.interaction = nn.Sequential(*(conv_block(channels, channels) for _ in range(depth)))
        # at the output resolution only the width changes
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
    """Return cascaded pre-norm transformer encoder layers on tokens (N, S, channels), as in eq. 3."""
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
    """Reshape (N, C, H, W) to (N, H·W, C)."""
    return maps.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """Reshape (N, H·W, C) to (N, C, H, W)."""
    return tokens.transpose(1, 2).unflatten(2, size)
