"""Graph convolution over joints with separate weights for messages towards and away from the centre of the body."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posediff.structures.skeletons import Skeleton

CENTRE = 'spine'
"""Joint from which distances are counted; the root in skeletons that do not have it."""


def message_matrices(skeleton: Skeleton) -> Tensor:
    """Return the weights of messages between joints, divided by their direction.

    Neighbours of a joint are itself, the joints at the other ends of its segments, and its counterpart on the other
    side. Each joint w averages its neighbours v with equal weights. The average is the sum of four parts: v = w; v is
    farther from the centre than w; v is nearer; v is the counterpart (same distance). Distances are counted in segments
    from :data:`CENTRE`.

    Args:
        skeleton: A connected skeleton.

    Returns:
        (4, K, K) float32, indexed [part, v, w].
    """
    bones = torch.from_numpy(skeleton.adjacency()).float()
    neighbours = bones.clone()
    for left, right in zip(skeleton.left, skeleton.right, strict=True):
        neighbours[left, right] = neighbours[right, left] = 1.0
    weights = neighbours / neighbours.sum(dim=0)
    names = skeleton.joint_names
    distance = _distances(bones > 0, names.index(CENTRE) if CENTRE in names else skeleton.root)
    itself = torch.eye(skeleton.num_joints, dtype=torch.bool)
    farther, nearer = (compare(distance[:, None], distance) for compare in (torch.gt, torch.lt))
    parts = (itself, farther, nearer, ~(itself | farther | nearer))
    return torch.stack([weights * part for part in parts])


def _distances(connected: Tensor, centre: int) -> Tensor:
    """Return the number of segments (K,) between each joint and the centre."""
    distance = torch.full((len(connected),), len(connected))
    reached = torch.zeros(len(connected), dtype=torch.bool)
    reached[centre] = True
    for step in range(len(connected)):
        distance[reached & (distance > step)] = step
        reached = connected[:, reached].any(dim=1)
    return distance


class JointMessageConv(nn.Module):
    """The graph convolution of FMPose3D: one linear map per part of :func:`message_matrices`, summed over the parts.

    Args:
        channels: C.
        skeleton: Defines the K joints and their neighbours.
    """

    mixing: Tensor

    def __init__(self, channels: int, skeleton: Skeleton) -> None:
        super().__init__()
        matrices = message_matrices(skeleton)
        self.linear = nn.Linear(channels, len(matrices) * channels)  # output k · C + c: channel c of part k
        # (w, v · 4 + k): the sum over parts and neighbours is one matrix product
        self.register_buffer('mixing', matrices.permute(2, 1, 0).flatten(1).contiguous(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, K, C) to (…, K, C)."""
        joints, channels = x.shape[-2:]
        messages = self.linear(x).reshape(*x.shape[:-2], self.mixing.shape[1], channels)
        return self.mixing.to(messages.dtype) @ messages
