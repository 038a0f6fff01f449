"""Chebyshev graph convolution over the joints of a skeleton."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posediff.models.layers.graph_convolution import normalized_adjacency
from posediff.structures.skeletons import Skeleton


def chebyshev_matrices(skeleton: Skeleton, order: int) -> Tensor:
    """Return the Chebyshev polynomials T_0 … T_order of the Laplacian I - D^-1 (A + I).

    The Laplacian is not rescaled to eigenvalues in [-1, 1], as in the released code of GraFormer.

    Returns:
        (order + 1, K, K) float32, with T_0 = I, T_1 = L, T_k = 2 L T_{k-1} - T_{k-2}.
    """
    identity = torch.eye(skeleton.num_joints)
    laplacian = identity - normalized_adjacency(skeleton)
    matrices = [identity, laplacian]
    while len(matrices) <= order:
        matrices.append(2 * laplacian @ matrices[-1] - matrices[-2])
    return torch.stack(matrices[: order + 1])


class ChebyshevTerms(nn.Module):
    """Features of every joint, multiplied by each polynomial of the Laplacian (:func:`chebyshev_matrices`).

    A linear map of these terms is a Chebyshev graph convolution (Defferrard et al., NeurIPS 2016, eq. 4).

    Args:
        skeleton: Defines the K joints and their graph.
        order: Highest polynomial.
    """

    matrices: Tensor

    def __init__(self, skeleton: Skeleton, order: int = 2) -> None:
        super().__init__()
        self.order = order
        self.register_buffer('matrices', chebyshev_matrices(skeleton, order).flatten(0, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, K, C) to (…, K, (order + 1) · C), C channels of each polynomial in turn."""
        terms = (self.matrices.to(x.dtype) @ x).unflatten(-2, (self.order + 1, -1))
        return terms.transpose(-3, -2).flatten(-2)


class ChebyshevConv(nn.Module):
    """Chebyshev graph convolution: sum over k of T_k x W_k, plus a bias.

    Args:
        in_channels, out_channels: Widths.
        skeleton: Defines the K joints and their graph.
        order: Highest polynomial; 2 in GraFormer (Zhao et al., CVPR 2022).
    """

    def __init__(self, in_channels: int, out_channels: int, skeleton: Skeleton, order: int = 2) -> None:
        super().__init__()
        self.terms = ChebyshevTerms(skeleton, order)
        self.linear = nn.Linear((order + 1) * in_channels, out_channels)
        # as the released code: Xavier over the whole tensor (order + 1, 1, in, out), whose fans are products of three
        nn.init.normal_(self.linear.weight, std=(2 / ((order + 2) * in_channels * out_channels)) ** 0.5)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, K, in_channels) to (…, K, out_channels)."""
        return self.linear(self.terms(x))
