"""Refinement of keypoints from heatmaps and a feature map, which are sampled around points.

Axes: B clips, N = B·M rows, K joints, C channels of the feature map, h, w size of both. Points are in state units:
``scale · (p - centre) / half height`` of the crop, x right and y down, where ``centre`` is halfway between the centres
of the crop's first and last pixel, and ``half height`` is half the distance between its first and last row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.layers.convolution import per_clip
from posediff.models.layers.lookup import encoder

STATISTICS = 8
LOGIT_SCALE = 10.0
"""Factor of the channels of heatmaps: a peaked softmax needs logits that small weights do not reach soon."""


def cell_logits(condition: Tensor, num_joints: int) -> Tensor:
    """Return the logits of the heatmaps' cells, (B, K, h, w) float32, from a condition (B, C + K, h, w)."""
    return LOGIT_SCALE * condition[:, -num_joints:].float()


class CropUnits(NamedTuple):
    """The units of points in a crop.

    Attributes:
        input_size: (w, h) of the crop, px, at least 2.
        scale: State units per half height.
    """

    input_size: tuple[int, int]
    scale: float

    @property
    def extent(self) -> tuple[float, float]:
        """(x, y) of the last pixel; that of the first is its negative."""
        width, height = self.input_size
        return self.scale * (width - 1) / (height - 1), self.scale

    @property
    def half(self) -> tuple[float, float]:
        """(x, y) of the centre, px."""
        width, height = self.input_size
        return (width - 1) / 2, (height - 1) / 2

    def from_pixels(self, points: Tensor) -> Tensor:
        """Convert points (…, 2) from px of the crop to state units."""
        x, y = self.half
        return torch.stack([points[..., 0] - x, points[..., 1] - y], dim=-1) * (self.scale / y)

    def to_pixels(self, points: Tensor) -> Tensor:
        """Convert points (…, 2) from state units to px of the crop."""
        x, y = self.half
        points = points * (y / self.scale)
        return torch.stack([points[..., 0] + x, points[..., 1] + y], dim=-1)


class KeypointEvidence(NamedTuple):
    """What a condition says about keypoints, computed once per clip.

    Attributes:
        features: (B, C, h, w) float32.
        heatmaps: (B, K, h, w) float32, relative to the maximum of each.
        base: (B, K, 2) float32, keypoints that are read from the heatmaps.
        tokens: (B, K, channels).
    """

    features: Tensor
    heatmaps: Tensor
    base: Tensor
    tokens: Tensor


class PointSampling(nn.Module):
    """Embeds what a feature map, and the heatmap of each joint, contain around points.

    Args:
        map_channels: C.
        channels: Width of the embedding.
        units: Units of the points.
        spacings: Spacings of grids of 3 × 3 samples around a point, cells of the maps.
    """

    offsets: Tensor

    def __init__(self, map_channels: int, channels: int, units: CropUnits, spacings: Sequence[float]) -> None:
        super().__init__()
        self.units = units
        steps = [(dx * spacing, dy * spacing) for spacing in spacings for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        self.register_buffer('offsets', torch.tensor(steps, dtype=torch.float32), persistent=False)
        self.features = nn.Linear(map_channels * len(steps), channels)
        self.heatmap = nn.Linear(len(steps), channels, bias=False)

    def forward(self, points: Tensor, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Sample bilinearly; the maps are 0 outside of the crop.

        Args:
            points: (N, K, 2) float32.
            features, heatmaps: See :class:`KeypointEvidence`.

        Returns:
            (N, K, channels).
        """
        height, width = features.shape[-2:]
        right, down = self.units.extent
        # grid_sample's coordinates: -1 and 1 are the centres of the first and last cell, as of the crop's pixels
        x, y = points.unsqueeze(2).unbind(-1)
        dx, dy = self.offsets.float().unbind(-1)
        grid = torch.stack([x / right + dx * (2 / (width - 1)), y / down + dy * (2 / (height - 1))], dim=-1)
        grid = per_clip(grid, features.shape[0])  # B, M, K, P, 2
        shape = grid.shape[:3]
        around = F.grid_sample(features, grid.flatten(1, 2), align_corners=True)  # B, C, M·K, P
        own = F.grid_sample(
            heatmaps.flatten(0, 1).unsqueeze(1), grid.transpose(1, 2).flatten(0, 1), align_corners=True
        )  # B·K, 1, M, P
        around = around.transpose(1, 2).flatten(2).unflatten(1, shape[1:]).flatten(0, 1)
        own = own.squeeze(1).unflatten(0, (shape[0], shape[2])).transpose(1, 2).flatten(0, 1)
        kind = self.features.weight.dtype
        return self.features(around.to(kind)) + self.heatmap(own.to(kind))


class KeypointRefinement(nn.Module):
    """Keypoints from a condition of a feature map and heatmaps, refined by attention between joints.

    A keypoint is first read from its heatmap: the mean in a window around the maximum (``base``). Tokens of the joints
    describe the heatmaps and what the maps contain at the base. After transformer layers, a linear layer predicts a
    correction, which is 0 at initialisation.

    Args:
        num_joints: K.
        map_channels: C; the condition has C + K channels, the last ones are read by :func:`cell_logits`.
        units: Units of the points.
        channels: Width of the tokens, a multiple of ``num_heads``.
        depth: Number of transformer layers.
        num_heads, mlp_ratio: Number of heads and relative hidden width of every transformer layer.
        window: Largest distance along each axis from the maximum, cells.
        spacings: See :class:`PointSampling`.
    """

    def __init__(
        self,
        num_joints: int,
        map_channels: int,
        units: CropUnits,
        channels: int = 128,
        depth: int = 2,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        window: int = 3,
        spacings: Sequence[float] = (1, 3),
    ) -> None:
        super().__init__()
        self.map_channels, self.units, self.window = map_channels, units, window
        self.sampling = PointSampling(map_channels, channels, units, spacings)
        self.statistics = nn.Linear(STATISTICS, channels, bias=False)
        self.joints = nn.Parameter(torch.zeros(num_joints, channels))
        self.encoder = encoder(channels, depth, num_heads, mlp_ratio)
        self.norm = nn.LayerNorm(channels)
        self.correction = nn.Linear(channels, 2)
        nn.init.trunc_normal_(self.joints, std=0.02)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)

    def prepare(self, condition: Tensor) -> KeypointEvidence:
        """Read a condition (B, C + K, h, w)."""
        condition = condition.float()
        features, logits = condition[:, : self.map_channels], cell_logits(condition, len(self.joints))
        heatmaps = (logits - logits.amax((2, 3), keepdim=True)).exp()
        base, statistics = self._read(heatmaps)
        tokens = self.sampling(base.detach(), features, heatmaps)
        tokens = tokens + self.statistics(statistics.to(self.statistics.weight.dtype)) + self.joints
        return KeypointEvidence(features, heatmaps, base, tokens)

    def interact(self, tokens: Tensor) -> Tensor:
        """Exchange information between joints: tokens (N, K, channels) to normalised tokens of that shape."""
        return self.norm(self.encoder(tokens))

    def forward(self, evidence: KeypointEvidence) -> Tensor:
        """Return refined keypoints, (B, K, 2) float32."""
        return evidence.base + self.correction(self.interact(evidence.tokens)).float()

    def _read(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Return keypoints (B, K, 2) and statistics (B, K, STATISTICS) of heatmaps with maxima of 1."""
        height, width = heatmaps.shape[-2:]
        right, down = self.units.extent
        x = torch.linspace(-right, right, width, device=heatmaps.device)
        y = torch.linspace(-down, down, height, device=heatmaps.device)
        best = heatmaps.flatten(2).argmax(-1)
        near_x = (torch.arange(width, device=best.device) - (best % width)[..., None]).abs() <= self.window
        near_y = (torch.arange(height, device=best.device) - (best // width)[..., None]).abs() <= self.window
        inside = heatmaps * (near_x[..., None, :] & near_y[..., None])
        total, mass = heatmaps.sum((2, 3)), inside.sum((2, 3))
        columns, rows = heatmaps.sum(2) / total[..., None], heatmaps.sum(3) / total[..., None]
        base = torch.stack([(inside.sum(2) * x).sum(-1), (inside.sum(3) * y).sum(-1)], dim=-1) / mass[..., None]
        mean = torch.stack([(columns * x).sum(-1), (rows * y).sum(-1)], dim=-1)
        square = torch.stack([(columns * x**2).sum(-1), (rows * y**2).sum(-1)], dim=-1)
        deviation = (square - mean**2).clamp_min(1e-6).sqrt()
        of_maps = torch.stack([total.log(), mass / total], dim=-1)
        return base, torch.cat([base, mean - base, deviation, of_maps], dim=-1)
