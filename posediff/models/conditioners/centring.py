"""2D joints without the place and the size at which the person happens to be filmed."""

from __future__ import annotations

import torch
from torch import Tensor

CENTRED_CHANNELS = 5


def centre_window(keypoints_2d_norm: Tensor) -> Tensor:
    """Move a clip's 2D joints to their centre and divide by their size, and append both.

    With cameras at any distance, a network that sees raw image coordinates must learn that place and size matter
    little; one number pair and one scale for the whole window keep the motion within it.

    Args:
        keypoints_2d_norm: (B, T, K, 2), omitted joints at exactly (0, 0); or (B, T, K, 3) with the mask as last
            channel.

    Returns:
        (B, T, K, 5): x and y relative to the mean of the window's observed joints, divided by their root mean square
        distance from it (0 where omitted), that mean's x and y, and the logarithm of that distance; and the mask,
        where there was one.
    """
    points = keypoints_2d_norm[..., :2].float()
    mask = keypoints_2d_norm[..., 2:]
    seen = (mask if mask.shape[-1] else (points != 0).any(-1, keepdim=True)).float()
    count = seen.sum((1, 2), keepdim=True).clamp(min=1)
    centre = (points * seen).sum((1, 2), keepdim=True) / count
    moved = (points - centre) * seen
    # A window in which nothing or one point was seen has no size; 1e-3 is a thousandth of half the image.
    size = (moved.square().sum((1, 2, 3), keepdim=True) / count).sqrt().clamp(min=1e-3)
    where = torch.cat([centre, size.log()], dim=-1).expand(*points.shape[:-1], 3)
    return torch.cat([moved / size, where, mask.float()], dim=-1).to(keypoints_2d_norm.dtype)
