"""Normalisation of 2D joints by position and size of the person."""

from __future__ import annotations

import torch
from torch import Tensor

CENTRED_CHANNELS = 5


def centre_window(keypoints_2d_norm: Tensor) -> Tensor:
    """Centre and scale the 2D joints of a window, and append centre and scale as channels.

    A network on image coordinates has to learn invariance to position and size, which vary with the camera. One centre
    and one scale for the whole window preserve the motion within it.

    Args:
        keypoints_2d_norm: (B, T, K, 2), missing joints at exactly (0, 0); or (B, T, K, 3) with the mask as last
            channel.

    Returns:
        (B, T, K, 5): x and y relative to the mean of the observed joints of the window, divided by their root mean
        square distance from it (0 for missing joints); x and y of the mean; the logarithm of the distance. Followed by
        the mask if there is one.
    """
    points = keypoints_2d_norm[..., :2].float()
    mask = keypoints_2d_norm[..., 2:]
    seen = (mask if mask.shape[-1] else (points != 0).any(-1, keepdim=True)).float()
    count = seen.sum((1, 2), keepdim=True).clamp(min=1)
    centre = (points * seen).sum((1, 2), keepdim=True) / count
    moved = (points - centre) * seen
    # the size of a window with at most one observed point is 0; 1e-3 is a thousandth of half the image width
    size = (moved.square().sum((1, 2, 3), keepdim=True) / count).sqrt().clamp(min=1e-3)
    where = torch.cat([centre, size.log()], dim=-1).expand(*points.shape[:-1], 3)
    return torch.cat([moved / size, where, mask.float()], dim=-1).to(keypoints_2d_norm.dtype)
