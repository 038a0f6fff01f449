"""Lookup-based feature interaction of DiffPose at one resolution (Feng et al., ICCV 2023, section 3.3, eqs. 4 and 5).

The noisy heatmap is refined to a mask. The mask selects from the spatiotemporal feature (lookup), and the selected
local features interact with the whole (global) feature. Optionally, every joint has a mask of its own.

Axes: B clips, N = B·M rows, K joints, c channels of this resolution, H, W its size.
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


class JointMasks(nn.Module):
    """One mask per joint, A_k = Sigmoid(p_k · SeRef(x)) with a 1×1 convolution p, in place of Sq of eqs. 4 and 5.

    Not in the paper, where Sq is the maximum over channels: there, all joints have one mask per resolution.

    Args:
        channels: c of the refined heatmap features and of the feature that is looked up.
        num_joints: K.

    Attributes:
        mixing: 1×1 convolution from the K masks to the weights of the c channels, since a channel of the feature is not
            that of one joint. At initialisation, channel i has the mask of joint i mod K.
    """

    def __init__(self, channels: int, num_joints: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(channels, num_joints, 1)
        self.mixing = nn.Conv2d(num_joints, channels, 1, bias=False)
        one_joint = F.one_hot(torch.arange(channels) % num_joints, num_joints)
        self.mixing.weight.data.copy_(one_joint[..., None, None])

    def forward(self, refined: Tensor) -> Tensor:
        """Return the masks (N, K, H, W) of refined heatmap features (N, c, H, W)."""
        return self.projection(refined).sigmoid()


class LookupInteraction(nn.Module):
    """Lookup and interaction at one resolution.

    Args:
        channels: c.
        mask_joints: K for one mask per joint (:class:`JointMasks`); None: one mask for all, as in the paper.

    Attributes:
        keep_mask: Whether to store the mask of each call, for visualisation.
        last_mask: (N, 1, H, W), mask of the last call if ``keep_mask``; with masks per joint, their maximum.
    """

    def __init__(self, channels: int, mask_joints: int | None = None) -> None:
        super().__init__()
        self.joint_masks = None if mask_joints is None else JointMasks(channels, mask_joints)
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
        """Combine local and global features with a mask, (N, 1, H, W), or (N, c, H, W) with masks per joint.

        Returns:
            (N, out, output size).
        """

    def forward(self, heatmap: Tensor, feature: PreparedFeature) -> Tensor:
        """Compute the features at this resolution.

        Args:
            heatmap: (N, c, H, W), level of the pyramid of the rescaled noisy heatmap.
            feature: Result of :meth:`prepare`.

        Returns:
            (N, out, output size).
        """
        refined = self.refine(heatmap)
        # A = Sigmoid(Sq(SeRef(x))) with the maximum over channels as Sq: first row of eqs. 4 and 5
        masks = refined.amax(dim=1, keepdim=True).sigmoid() if self.joint_masks is None else self.joint_masks(refined)
        if self.keep_mask:
            self.last_mask = masks.detach().amax(dim=1, keepdim=True)
        return self.interact(masks if self.joint_masks is None else self.joint_masks.mixing(masks), feature)


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
        mask_joints: See :class:`LookupInteraction`.
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
        mask_joints: int | None = None,
    ) -> None:
        super().__init__(channels, mask_joints)
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
        context = self.global_map(feature) + self.position
        # [A ⊙ F, F] W = A ⊙ (F W_local) + F W_global if A scales whole tokens: then both products depend on F only
        return PreparedFeature(self.local_map(feature) if self.joint_masks is None else feature, context)

    def refine(self, heatmap: Tensor) -> Tensor:
        tokens = self.refinement(self.embedding(to_tokens(heatmap)) + self.heatmap_position)
        return to_map(tokens, self.size)

    def interact(self, mask: Tensor, feature: PreparedFeature) -> Tensor:
        batch = feature.context.shape[0]
        weight = per_clip(to_tokens(mask), batch)
        looked_up, context = feature.looked_up.unsqueeze(1), feature.context.unsqueeze(1)
        if self.joint_masks is None:
            tokens = torch.addcmul(context, weight, looked_up)
        else:
            tokens = context + self.local_map(weight * looked_up)
        tokens = tokens.flatten(0, 1)
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
        mask_joints: See :class:`LookupInteraction`.
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
        mask_joints: int | None = None,
    ) -> None:
        super().__init__(channels, mask_joints)
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


class EncoderLayer(nn.TransformerEncoderLayer):
    """A pre-norm transformer encoder layer on tokens (N, S, channels).

    Its weights and results are those of the base class, whose inference path on CPUs writes out the S × S weights of
    every head: with the 960 tokens of five frames of 256×192 px, it takes up to twice the time.

    Args:
        channels: Channels of a token.
        num_heads, mlp_ratio: Number of heads and relative hidden width.
    """

    def __init__(self, channels: int, num_heads: int, mlp_ratio: float) -> None:
        super().__init__(
            channels,
            num_heads,
            round(channels * mlp_ratio),
            dropout=0.0,
            activation='gelu',
            batch_first=True,
            norm_first=True,
        )

    def forward(self, src: Tensor) -> Tensor:  # type: ignore[override]
        """Map (N, S, channels) to (N, S, channels)."""
        x = src + self._attend(self.norm1(src))
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))

    def _attend(self, x: Tensor) -> Tensor:
        attention = self.self_attn
        qkv = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)
        # (3, N, heads, S, width of a head)
        query, key, value = qkv.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        attended = F.scaled_dot_product_attention(query, key, value)
        return attention.out_proj(attended.transpose(1, 2).flatten(2))


def encoder(channels: int, depth: int, num_heads: int, mlp_ratio: float) -> nn.Sequential:
    """Return cascaded pre-norm transformer encoder layers on tokens (N, S, channels), as in eq. 3."""
    return nn.Sequential(*(EncoderLayer(channels, num_heads, mlp_ratio) for _ in range(depth)))


def to_tokens(maps: Tensor) -> Tensor:
    """Reshape (N, C, H, W) to (N, H·W, C)."""
    return maps.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """Reshape (N, H·W, C) to (N, C, H, W)."""
    return tokens.transpose(1, 2).unflatten(2, size)
