"""The layers of GraFormer against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from posediff.models.layers.chebyshev import ChebyshevConv, ChebyshevTerms, chebyshev_matrices
from posediff.models.layers.graformer import LearnedGraphPerceptron, ResidualChebyshev, SampleStdNorm
from posediff.models.layers.graph_convolution import normalized_adjacency
from posediff.structures.skeletons import H36M17


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_the_polynomials_are_those_of_chebyshev() -> None:
    laplacian = np.eye(17) - normalized_adjacency(H36M17).numpy().astype(np.float64)
    values, vectors = np.linalg.eig(laplacian)
    for order, matrix in enumerate(chebyshev_matrices(H36M17, 3)):
        coefficients = np.polynomial.chebyshev.chebval(values, [0] * order + [1])
        expected = (vectors * coefficients) @ np.linalg.inv(vectors)
        np.testing.assert_allclose(matrix, expected.real, atol=2e-5)
        # the Laplacian maps a constant to 0: T_k(0) is 1, 0, -1, 0
        np.testing.assert_allclose(matrix.sum(1), [1.0, 0.0, -1.0, 0.0][order], atol=2e-5)


def test_a_linear_map_of_the_terms_is_the_convolution() -> None:
    conv, x = ChebyshevConv(3, 4, H36M17), torch.randn(2, 5, 17, 3)
    weights = conv.linear.weight.T.view(3, 3, 4)
    matrices = chebyshev_matrices(H36M17, 2)
    expected = sum(torch.einsum('vw,ntwc,cd->ntvd', matrices[k], x, weights[k]) for k in range(3)) + conv.linear.bias
    torch.testing.assert_close(conv(x), expected)
    torch.testing.assert_close(conv.linear(ChebyshevTerms(H36M17)(x)), conv(x))


def test_joints_further_than_the_order_have_no_influence() -> None:
    conv, x = ChebyshevConv(3, 4, H36M17), torch.randn(1, 1, 17, 3)
    moved = x.clone()
    moved[:, :, 0] += 1
    changed = (conv(moved) - conv(x)).abs().amax(dim=(0, 1, 3)) > 1e-6
    assert changed.nonzero().flatten().tolist() == [0, 1, 2, 4, 5, 7, 8]  # at most two bones from the hip


def test_the_norm_divides_by_the_unbiased_deviation() -> None:
    norm, x = SampleStdNorm(6), torch.randn(2, 5, 6, dtype=torch.float64)
    y = norm.double()(x)
    torch.testing.assert_close(y.mean(-1), torch.zeros(2, 5, dtype=torch.float64))
    torch.testing.assert_close(y.std(-1), torch.ones(2, 5, dtype=torch.float64), rtol=1e-5, atol=0)
    assert norm(torch.full((1, 6), 3.0, dtype=torch.float64)).abs().max() == 0


def perceptron(layer: LearnedGraphPerceptron, mixing: Tensor, x: Tensor) -> Tensor:
    return layer.output(mixing @ layer.hidden(mixing @ x).relu())


def test_the_learned_graph_starts_without_edges() -> None:
    layer, x = LearnedGraphPerceptron(4, 17), torch.randn(2, 3, 17, 4)
    torch.testing.assert_close(layer(x), perceptron(layer, torch.eye(17) / (1 + 1e-5), x))


def test_the_learned_graph_is_normalised_by_its_column_sums() -> None:
    layer, x = LearnedGraphPerceptron(4, 3), torch.randn(2, 3, 3, 4)
    graph = torch.tensor([[1.0, 2.0, 0.0], [3.0, 1.0, -5.0], [0.0, 1.0, 2.0]])
    layer.adjacency.data = graph.clone()
    degrees = torch.tensor([4.0, 4.0, 0.1])  # the third sum, -3, is below the smallest degree
    torch.testing.assert_close(
        layer(x), perceptron(layer, graph / (degrees[:, None] * degrees).sqrt(), x), rtol=1e-3, atol=1e-4
    )


def test_the_step_is_added_between_the_convolutions() -> None:
    layer, x, step = ResidualChebyshev(4, H36M17, 6, dropout=0.5).eval(), torch.randn(2, 1, 17, 4), torch.randn(2, 6)
    between = layer.first(x).relu() + layer.step(step * step.sigmoid())[:, None, None]
    torch.testing.assert_close(layer(x, step), x + layer.second(between).relu())
    without = ResidualChebyshev(4, H36M17, None, dropout=0.0)
    torch.testing.assert_close(without(x), x + without.second(without.first(x).relu()).relu())
