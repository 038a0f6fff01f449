"""Mixtures of Gaussians with diagonal covariance: draws that need no further randomness, and their fit to points."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Smallest standard deviation of a fitted component, relative to the spread of all points; 0 would never be left again.
SMALLEST = 1e-3


class Component(NamedTuple):
    """The component that was drawn for each element, and the noise that is left for it.

    Attributes:
        mean, std: (…, D).
        noise: (…, D), standard normal and independent of the component.
    """

    mean: Tensor
    std: Tensor
    noise: Tensor


class GaussianMixture(NamedTuple):
    """Mixtures of G Gaussians in D dimensions, with independent coordinates, one for each element of the leading axes.

    Attributes:
        weight: (…, G), not negative; each row sums to 1.
        mean: (…, G, D).
        std: (…, G, D), not negative.
    """

    weight: Tensor
    mean: Tensor
    std: Tensor

    def draw(self, noise: Tensor) -> Component:
        """Choose a component for each element by a part of its noise.

        u = Phi(z) of the last coordinate z is uniform; the component is the interval between the cumulated weights in
        which u lies. The place of u in that interval is uniform again, whatever the component: it replaces z. So one
        standard normal number per coordinate determines the draw, as for a single Gaussian.

        Args:
            noise: (…, D) standard normal; leading axes are broadcast with those of the mixture.
        """
        if self.weight.shape[-1] == 1:
            return Component(self.mean[..., 0, :], self.std[..., 0, :], noise)
        shape = torch.broadcast_shapes(noise.shape[:-1], self.weight.shape[:-1])
        uniform = torch.special.ndtr(noise[..., -1].double()).expand(shape)
        weight = self.weight.double().expand(*shape, -1)
        edges = weight.cumsum(-1)
        chosen = (uniform[..., None] >= edges[..., :-1]).sum(-1, keepdim=True)
        width = weight.gather(-1, chosen)[..., 0].clamp(min=torch.finfo(weight.dtype).tiny)
        place = (uniform - edges.gather(-1, chosen)[..., 0] + width) / width
        rest = torch.special.ndtri(place.clamp(1e-12, 1 - 1e-12)).to(noise.dtype)
        noise = torch.cat([noise[..., :-1].expand(*shape, -1), rest[..., None]], dim=-1)
        return Component(_pick(self.mean, chosen), _pick(self.std, chosen), noise)

    def moments(self) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation (…, D) of the whole mixture."""
        weight = self.weight[..., None]
        mean = (weight * self.mean).sum(-2)
        variance = (weight * (self.std**2 + (self.mean - mean[..., None, :]) ** 2)).sum(-2)
        return mean, variance.sqrt()


def fit_mixture(points: Tensor, num_components: int, weight: Tensor | None = None, steps: int = 50) -> GaussianMixture:
    """Fit a mixture to weighted points by expectation maximisation.

    For the 2D uncertainty of a joint, the points are the cells of its heatmap with the values as weights, or the errors
    of a detector on annotated pictures (Gong et al., CVPR 2023, section 3.3).

    The first components are the means of equal shares of the points, sorted along the coordinate of largest variance,
    so that the result is reproducible.

    Args:
        points: (S, D), finite.
        num_components: G, at most S.
        weight: (S,), not negative, with a positive sum; None: equal weights.
        steps: Iterations.

    Returns:
        A mixture without leading axes, float64, sorted by falling weight.

    Raises:
        ValueError: The shapes do not fit, a number is not finite, or the weights have no positive sum.
    """
    if points.dim() != 2 or not 1 <= num_components <= len(points):
        raise ValueError(
            f'a mixture is fitted to points (S, D), at least one for each of {num_components} components; got '
            f'{tuple(points.shape)}'
        )
    points = points.double()
    mass = torch.ones(len(points), dtype=points.dtype) if weight is None else weight.double()
    if mass.shape != points.shape[:1] or not bool(torch.isfinite(points).all() & torch.isfinite(mass).all()):
        raise ValueError(f'points and weights must be finite, with a weight for each point; got {tuple(mass.shape)}')
    if bool((mass < 0).any()) or not float(mass.sum()) > 0:
        raise ValueError('weights of points must not be negative, and one must be positive')
    mass = mass / mass.sum()
    whole = GaussianMixture(mass, points, torch.zeros_like(points)).moments()[1]
    floor = SMALLEST * whole.clamp(min=torch.finfo(points.dtype).eps)
    order = points[:, int(whole.argmax())].argsort()
    share = (mass[order].cumsum(0) * num_components).ceil().long().clamp(1, num_components) - 1
    resemblance = torch.zeros(len(points), num_components, dtype=points.dtype)
    resemblance[order, share] = 1
    for _ in range(steps + 1):
        fitted = _maximised(points, resemblance * mass[:, None], floor)
        scaled = ((points[:, None] - fitted.mean) / fitted.std) ** 2
        resemblance = (fitted.weight.log() - fitted.std.log().sum(-1) - scaled.sum(-1) / 2).softmax(dim=-1)
    order = fitted.weight.argsort(descending=True)
    return GaussianMixture(*(part[order] for part in fitted))


def _maximised(points: Tensor, mass: Tensor, floor: Tensor) -> GaussianMixture:
    """Return the mixture of G components for the mass (S, G) of each point (S, D) in each of them."""
    weight = mass.sum(0).clamp(min=torch.finfo(mass.dtype).tiny)
    mean = mass.T @ points / weight[:, None]
    variance = (mass[..., None] * (points[:, None] - mean) ** 2).sum(0) / weight[:, None]
    return GaussianMixture(weight / weight.sum(), mean, variance.sqrt().clamp(min=floor))


def _pick(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the chosen (…, 1) components of values (…, G, D) as (…, D)."""
    values = values.expand(*chosen.shape[:-1], *values.shape[-2:])
    index = chosen[..., None].expand(*chosen.shape[:-1], 1, values.shape[-1])
    return values.gather(-2, index)[..., 0, :]
