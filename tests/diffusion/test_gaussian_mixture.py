"""Mixtures of Gaussians: draws have the moments of the mixture, and fits find the mixture that made the points."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from posediff.diffusion.gaussian_mixture import GaussianMixture, fit_mixture

DRAWS = 60_000


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mixture() -> GaussianMixture:
    weight = torch.tensor([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
    mean = torch.tensor([[[-2.0, 1.0], [0.5, 0.0], [4.0, -1.0]], [[9.0, 9.0], [1.0, 2.0], [9.0, 9.0]]])
    std = torch.tensor([[[0.3, 0.1], [1.0, 0.0], [0.2, 2.0]], [[9.0, 9.0], [0.5, 0.25], [9.0, 9.0]]])
    return GaussianMixture(weight, mean, std)


def test_one_component_keeps_the_noise_as_it_is() -> None:
    single = GaussianMixture(torch.ones(4, 1), normal(4, 1, 3, seed=1), normal(4, 1, 3, seed=2).abs())
    noise = normal(7, 4, 3)
    component = single.draw(noise)
    assert component.noise is noise
    assert torch.equal(component.mean, single.mean[:, 0])
    assert torch.equal(component.std, single.std[:, 0])


def test_draws_have_the_moments_of_the_mixture() -> None:
    component = mixture().draw(normal(DRAWS, 2, 2))
    drawn = component.mean + component.std * component.noise
    mean, std = mixture().moments()
    torch.testing.assert_close(drawn.mean(0).float(), mean, rtol=0, atol=5 * 3 / DRAWS**0.5)
    torch.testing.assert_close(drawn.std(0).float(), std, rtol=0.02, atol=0)
    torch.testing.assert_close(mean[0], torch.tensor([1.05, -0.1]))
    shares = torch.stack([(component.mean[:, 0, 0] == value).double().mean() for value in mixture().mean[0, :, 0]])
    torch.testing.assert_close(shares.float(), mixture().weight[0], rtol=0, atol=0.01)


def test_the_noise_left_is_standard_normal_whatever_the_component() -> None:
    component = mixture().draw(normal(DRAWS, 2, 2))
    for value in mixture().mean[0, :, 0]:
        left = component.noise[component.mean[:, 0, 0] == value][:, 0]
        assert left.mean(0).abs().max() < 0.05
        assert (left.std(0) - 1).abs().max() < 0.03
        assert (left.quantile(0.9) - 1.2816).abs() < 0.05
        assert left.T.corrcoef()[0, 1].abs() < 0.05


@given(weight=st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda w: sum(w) > 0.1), z=st.floats(-9, 9))
@settings(max_examples=50, deadline=None)
def test_a_component_without_weight_is_never_drawn(weight: list[float], z: float) -> None:
    shares = torch.tensor(weight, dtype=torch.float64)
    shares = shares / shares.sum()
    number = torch.arange(len(weight), dtype=torch.float64)[:, None]
    component = GaussianMixture(shares, number, torch.ones_like(number)).draw(torch.tensor([[z]], dtype=torch.float64))
    assert component.noise.isfinite().all()
    if abs(z) < 5:  # beyond, the rounding of the cumulated weights is as wide as what is left
        assert shares[int(component.mean.item())] > 0


def test_a_single_gaussian_is_fitted_by_its_moments() -> None:
    points, weight = normal(50, 2), normal(50, seed=1).abs()
    share = (weight / weight.sum())[:, None]
    fitted = fit_mixture(points, 1, weight)
    mean = (share * points).sum(0)
    torch.testing.assert_close(fitted.mean[0], mean)
    torch.testing.assert_close(fitted.std[0], (share * (points - mean) ** 2).sum(0).sqrt())
    assert fitted.weight.tolist() == [1.0]


def test_the_mixture_that_made_the_points_is_found() -> None:
    true = GaussianMixture(
        torch.tensor([0.6, 0.3, 0.1]),
        torch.tensor([[0.0, 0.0], [6.0, 1.0], [-5.0, 2.0]]),
        torch.tensor([[1.0, 0.5], [0.5, 1.0], [0.4, 0.4]]),
    )
    component = true.draw(normal(20_000, 2))
    fitted = fit_mixture(component.mean + component.std * component.noise, 3)
    for found, expected, tolerance in zip(fitted, true, (0.02, 0.05, 0.05), strict=True):
        torch.testing.assert_close(found.float(), expected, rtol=0, atol=tolerance)


def test_a_heatmap_is_fitted_by_its_cells_and_values() -> None:
    cells = torch.cartesian_prod(torch.arange(64.0), torch.arange(48.0))
    heatmap = torch.zeros(len(cells))
    for height, centre, sigma in ((1.0, (20.0, 12.0), 2.0), (0.5, (45.0, 30.0), 3.0)):
        heatmap += height * (-((cells - torch.tensor(centre)) ** 2).sum(-1) / (2 * sigma**2)).exp()
    fitted = fit_mixture(cells, 2, heatmap)
    order = fitted.mean[:, 0].argsort()
    torch.testing.assert_close(fitted.mean[order].float(), torch.tensor([[20.0, 12.0], [45.0, 30.0]]), rtol=0, atol=0.1)
    torch.testing.assert_close(fitted.std[order].float(), torch.tensor([[2.0, 2.0], [3.0, 3.0]]), rtol=0, atol=0.1)
    # the mass of a bump is height · sigma²
    torch.testing.assert_close(fitted.weight[order].float(), torch.tensor([4.0, 4.5]) / 8.5, rtol=0, atol=0.01)


def test_equal_points_do_not_divide_by_zero() -> None:
    fitted = fit_mixture(torch.ones(10, 2), 2)
    assert all(part.isfinite().all() for part in fitted)
    torch.testing.assert_close(fitted.moments()[0], torch.ones(2, dtype=torch.float64))


@pytest.mark.parametrize(
    ('points', 'components', 'weight', 'said'),
    [
        (torch.zeros(3), 1, None, r'points \(S, D\)'),
        (torch.zeros(3, 2), 4, None, r'each of 4 components; got \(3, 2\)'),
        (torch.full((3, 2), float('nan')), 1, None, 'must be finite'),
        (torch.zeros(3, 2), 1, torch.ones(2), 'a weight for each point'),
        (torch.zeros(3, 2), 1, torch.tensor([1.0, -1.0, 1.0]), 'not be negative'),
        (torch.zeros(3, 2), 1, torch.zeros(3), 'one must be positive'),
    ],
)
def test_wrong_points_are_named(points: Tensor, components: int, weight: Tensor | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fit_mixture(points, components, weight)
