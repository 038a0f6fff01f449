"""Graph convolution over the joints of a skeleton, with a weight matrix per joint."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from posediff.structures.skeletons import Skeleton


def normalized_adjacency(skeleton: Skeleton) -> Tensor:
    """Return the row-normalised adjacency matrix with self-loops, D^-1 (A + I).

    Returns:
        (K, K) float32; rows sum to 1. Not symmetric.
    """
    adjacency = torch.from_numpy(skeleton.adjacency())
    return (adjacency / adjacency.sum(dim=1, keepdim=True)).float()


class ChannelGraphConv(nn.Module):
    """A pre-aggregated, decoupled graph convolution over the last axis.

    The output of joint i is ``A_ii x_i W_self[i] + sum_{j != i} A_ij x_j W_neighbour[j] + b``: features are multiplied
    by the matrix of their joint and then mixed along the skeleton (Liu et al., "A Comprehensive Study of Weight Sharing
    in Graph Networks for 3D Human Pose Estimation", ECCV 2020, the pre-aggregation variant).

    The joints are the first axis, so that the products of all joints are one batched matrix product.

    Args:
        in_features: Length of the input axis.
        out_features: Length of the output axis.
        skeleton: Defines the K joints and their neighbours.
    """

    adjacency_self: Tensor
    adjacency_neighbours: Tensor

    def __init__(self, in_features: int, out_features: int, skeleton: Skeleton) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(2, skeleton.num_joints, in_features, out_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        adjacency = normalized_adjacency(skeleton)
        diagonal = adjacency.diagonal().clone()
        self.register_buffer('adjacency_self', diagonal, persistent=False)
        self.register_buffer('adjacency_neighbours', adjacency - torch.diag(diagonal), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise the weights as in the DiffHPE code: Xavier over the whole 4-D tensor, uniform bias."""
        nn.init.xavier_uniform_(self.weight, gain=1.414)
        bound = 1.0 / math.sqrt(self.weight.shape[2])
        nn.init.uniform_(self.bias, -bound, bound)

    def matrices(self) -> tuple[Tensor, Tensor]:
        """Return ``A_ii W_self[i]`` of all joints i and ``W_neighbour[j]`` of all joints j, each (K, in, out)."""
        return self.weight[0] * self.adjacency_self[:, None, None], self.weight[1]

    def forward(self, x: Tensor) -> Tensor:
        """Map (K, R, in_features) to (K, R, out_features); R is any number of flattened axes."""
        own, neighbours = self.matrices()
        joints, rows = x.shape[:2]
        mapped = torch.baddbmm(self.bias.expand(joints, rows, -1), x, own)
        return self._mix(mapped, torch.bmm(x, neighbours))

    def _mix(self, mapped: Tensor, messages: Tensor) -> Tensor:
        return torch.addmm(mapped.flatten(1), self.adjacency_neighbours, messages.flatten(1)).view_as(mapped)


class FrameGraphConv(ChannelGraphConv):
    """The convolution of :class:`ChannelGraphConv` over the second to last axis, the frames."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (K, in_features, R) to (K, out_features, R)."""
        own, neighbours = (matrix.transpose(1, 2) for matrix in self.matrices())
        joints, _, rows = x.shape
        mapped = torch.baddbmm(self.bias[:, None].expand(joints, -1, rows), own, x)
        return self._mix(mapped, torch.bmm(neighbours, x))
