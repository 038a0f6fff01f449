"""The output layers of MoveNet, and their decoding to the keypoints of one person."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.backbones.mobilenet_v2 import SeparableConv2d

JOINTS, FEATURES, HIDDEN = 17, 24, 96
STRIDE = 4
CLOSE = 1.8
"""Cells added to a distance before heatmap values are divided by it."""
SIGMA = 2.0
"""Standard deviation of the Gaussians of :func:`person_maps`, cells."""


class MoveNetHeads(nn.Module):
    """Four maps from the features of :class:`~posediff.models.backbones.movenet.MoveNetBackbone` at stride 4.

    Source: the published graph of MoveNet, version 4.
    """

    def __init__(self) -> None:
        super().__init__()
        self.heatmap = MapHead(JOINTS)
        self.center = MapHead(1)
        self.regression = MapHead(2 * JOINTS)
        self.offset = MapHead(2 * JOINTS)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Map features (N, 24, h, w) to ``heatmap`` (N, 17, h, w) and ``center`` (N, 1, h, w), both 0 … 1, and to
        ``regression`` and ``offset`` (N, 17, 2, h, w), (y, x) in cells."""
        return {
            'heatmap': self.heatmap(features).sigmoid(),
            'center': self.center(features).sigmoid(),
            'regression': self.regression(features).unflatten(1, (JOINTS, 2)),
            'offset': self.offset(features).unflatten(1, (JOINTS, 2)),
        }


class MapHead(nn.Module):
    """A separable convolution and a 1×1 convolution: (N, 24, h, w) to (N, channels, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.hidden = SeparableConv2d(FEATURES, HIDDEN)
        self.output = nn.Conv2d(HIDDEN, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        maps: Tensor = self.output(F.relu(self.hidden(features)))
        return maps


def decode_person(maps: dict[str, Tensor], central: bool = True) -> tuple[Tensor, Tensor]:
    """Find the keypoints of one person in each image.

    The person is at the highest value of the centre map, where ``regression`` tells the approximate place of every
    joint. The joint is at the highest value of its heatmap, after division by the distance from that place. Offsets
    correct the place within its cell.

    Args:
        maps: From :class:`MoveNetHeads`, N images.
        central: Divide the centre map by the distance from the middle of the image, as the published graph does.

    Returns:
        Keypoints (N, 17, 2), x and y in pixels of the image, and scores (N, 17), the values of the heatmaps.
    """
    heatmap, center = maps['heatmap'], maps['center'][:, 0]
    height, width = center.shape[1:]
    rows = torch.arange(height, device=center.device, dtype=center.dtype)[:, None]
    columns = torch.arange(width, device=center.device, dtype=center.dtype)
    if central:
        center = center / (torch.hypot(rows - height / 2, columns - width / 2) + CLOSE)
    y, x = _cells(center.flatten(1).argmax(1), width)
    people = torch.arange(len(center), device=center.device)
    about = maps['regression'][people, :, :, y, x] + torch.stack([y, x], -1)[:, None]
    distance = torch.hypot(rows - about[:, :, 0, None, None], columns - about[:, :, 1, None, None])
    best = (heatmap / (distance + CLOSE)).flatten(2).argmax(2)
    y, x = _cells(best, width)
    place = people[:, None], torch.arange(JOINTS, device=center.device)[None]
    offsets = maps['offset'][place[0], place[1], :, y, x]
    keypoints = torch.stack([x + offsets[..., 1], y + offsets[..., 0]], -1) * STRIDE
    return keypoints, heatmap[place[0], place[1], y, x]


def person_maps(maps: dict[str, Tensor]) -> Tensor:
    """Draw the keypoints of :func:`decode_person` as Gaussians multiplied by their scores.

    Args:
        maps: From :class:`MoveNetHeads`, N images.

    Returns:
        (N, 17, h, w) in [0, 1], of the dtype of ``heatmap``; h and w are the height and width of the input divided by
        4, as for the maps.
    """
    height, width = maps['heatmap'].shape[-2:]
    keypoints, scores = decode_person({name: values.float() for name, values in maps.items()})
    x, y = (keypoints / STRIDE)[..., None].unbind(-2)
    across, down = (
        torch.exp((torch.arange(cells, device=place.device) - place).square() / (-2 * SIGMA**2))
        for cells, place in ((width, x), (height, y))
    )
    return (scores[..., None, None] * down[..., :, None] * across[..., None, :]).to(maps['heatmap'].dtype)


def _cells(index: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Return rows and columns of flat indices."""
    return index // width, index % width


def mirrored_maps(maps: dict[str, Tensor], flip_indices: Tensor) -> dict[str, Tensor]:
    """Return the maps of an image from those of its mirror image.

    Args:
        maps: From :class:`MoveNetHeads`, of the image mirrored left to right.
        flip_indices: int64 (17,), for each joint the index of its counterpart on the other side, on the maps' device: a
            list would be copied to it, and wait.
    """
    regression, offset = (maps[name].flip(-1)[:, flip_indices] for name in ('regression', 'offset'))
    # x is measured from the left edge of a cell, which is the right edge in the mirror image
    regression = torch.stack([regression[:, :, 0], 1 - regression[:, :, 1]], 2)
    offset = torch.stack([offset[:, :, 0], 1 - offset[:, :, 1]], 2)
    return {
        'heatmap': maps['heatmap'].flip(-1)[:, flip_indices],
        'center': maps['center'].flip(-1),
        'regression': regression,
        'offset': offset,
    }
