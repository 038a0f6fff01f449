"""Graph convolution and non-local layer against their formulas, written with loops."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from posediff.models.layers.graph_convolution import ChannelGraphConv, FrameGraphConv, normalized_adjacency
from posediff.models.layers.non_local import POOLING_ORDER, JointNonLocal
from posediff.structures.skeletons import H36M17


def convolve(conv: ChannelGraphConv, x: Tensor) -> Tensor:
    """(K, R, in) to (K, R, out), joint by joint."""
    adjacency = normalized_adjacency(H36M17)
    rows = []
    for i in range(len(x)):
        row = adjacency[i, i] * x[i] @ conv.weight[0, i] + conv.bias
        for j in range(len(x)):
            if j != i:
                row = row + adjacency[i, j] * x[j] @ conv.weight[1, j]
        rows.append(row)
    return torch.stack(rows)


def test_adjacency_rows_sum_to_one() -> None:
    adjacency = normalized_adjacency(H36M17)
    torch.testing.assert_close(adjacency.sum(dim=1), torch.ones(17))
    assert adjacency[8].gt(0).nonzero().flatten().tolist() == [7, 8, 9, 11, 14]
    assert not torch.equal(adjacency, adjacency.t())


def test_channel_convolution() -> None:
    torch.manual_seed(0)
    conv, x = ChannelGraphConv(3, 4, H36M17), torch.randn(17, 5, 3)
    torch.testing.assert_close(conv(x), convolve(conv, x))


def test_frame_convolution() -> None:
    torch.manual_seed(0)
    conv, x = FrameGraphConv(3, 3, H36M17), torch.randn(17, 3, 5)
    torch.testing.assert_close(conv(x), convolve(conv, x.transpose(1, 2)).transpose(1, 2))


def test_initial_weights() -> None:
    conv = ChannelGraphConv(64, 64, H36M17)
    bound = 1.414 * (6 / (64 * 64 * (17 + 2))) ** 0.5  # Xavier over the 4-D tensor
    assert conv.weight.abs().max().item() == pytest.approx(bound, rel=1e-2)
    assert conv.bias.abs().max() <= 1 / 8


def non_local(channels: int = 6) -> JointNonLocal:
    torch.manual_seed(0)
    layer = JointNonLocal(channels, POOLING_ORDER['h36m17']).eval()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer


def test_non_local_formula() -> None:
    layer, x = non_local(), torch.randn(17, 4, 6)
    pairs = [(2, 3), (5, 6), (1, 4), (0, 7), (8, 9), (10, 15), (16, 12), (13, 11)]
    half = layer.query.out_features
    for row in range(x.shape[1]):
        joints = x[:, row]
        query, key, value = layer.query(joints), layer.key(joints), layer.value(joints)
        attended = []
        for i in range(17):
            total = torch.zeros(half)
            for first, second in pairs:
                pooled = torch.maximum(key[first], key[second])
                score = layer.score.weight[0, :half] @ query[i] + layer.score.weight[0, half:] @ pooled
                total = total + score.relu() * torch.maximum(value[first], value[second])
            attended.append(total / len(pairs))
        expected = joints + layer.norm(layer.output(torch.stack(attended)))
        torch.testing.assert_close(layer(x)[:, row], expected)


def test_non_local_starts_as_the_identity() -> None:
    x = torch.randn(17, 4, 6)
    assert torch.equal(JointNonLocal(6, POOLING_ORDER['h36m17'])(x), x)


def test_the_left_over_joint_is_no_key() -> None:
    layer, x = non_local(), torch.randn(17, 1, 6)
    changed = x.clone()
    changed[14] += 1.0
    difference = (layer(changed) - layer(x)).abs().amax(dim=(1, 2))
    assert difference.nonzero().flatten().tolist() == [14]


def test_a_pooling_order_must_be_a_permutation() -> None:
    with pytest.raises(ValueError, match=r'every joint once; got \(0, 0, 1\)'):
        JointNonLocal(6, (0, 0, 1))
