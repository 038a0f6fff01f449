"""Contract tests of all registered samplers, plugins included; see posediff.diffusion.samplers.base."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import pytest
import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import BetasNoiseScheduler, CosineNoiseScheduler, LinearNoiseScheduler
from posediff.diffusion.prediction import PREDICTION_TYPES, from_x_0_and_epsilon
from posediff.registry import SAMPLERS
from posediff.testing.contracts.base import Contract

STATES = [(2, 2, 3), (3, 2, 2)]  # (T, K, 3) and (K, H, W)

Estimate = Callable[[Tensor, float], Tensor]
"""Returns x_0 (N, S) from a flattened x_t (N, S) and its alpha_bar."""


def perfect_denoiser(scheduler: BetasNoiseScheduler, x_0_of: Estimate) -> Callable[[Tensor, int], Tensor]:
    """Create a denoiser that predicts x_0 = ``x_0_of(x_t, alpha_bar)``, with x_t flattened to (N, S).

    Its output has the prediction type of the scheduler.
    """

    def denoise(x_t: Tensor, t: int) -> Tensor:
        alpha_bar = scheduler.alpha_bar_at(t)
        flat = x_t.flatten(1).double()
        x_0 = x_0_of(flat, alpha_bar)
        epsilon = (flat - alpha_bar**0.5 * x_0) / (1 - alpha_bar) ** 0.5
        level = torch.tensor(alpha_bar, dtype=torch.float64)
        output = from_x_0_and_epsilon(scheduler.prediction_type, x_0, epsilon, level)
        return output.reshape(x_t.shape).to(x_t.dtype)

    return denoise


class Gaussian:
    """A prior x_0 ~ N(mean, covariance) of flattened states, with its exact posterior mean given x_t."""

    def __init__(self, size: int) -> None:
        generator = torch.Generator().manual_seed(0)
        root = torch.randn(size, size, generator=generator, dtype=torch.float64) / size**0.5
        self.covariance = 0.3 * root @ root.T + 0.05 * torch.eye(size, dtype=torch.float64)
        self.mean = torch.randn(size, generator=generator, dtype=torch.float64)

    def posterior_mean(self, x_t: Tensor, alpha_bar: float) -> Tensor:
        marginal = alpha_bar * self.covariance + (1 - alpha_bar) * torch.eye(len(self.mean), dtype=torch.float64)
        gain = alpha_bar**0.5 * torch.linalg.solve(marginal, self.covariance).T
        return self.mean + (x_t - alpha_bar**0.5 * self.mean) @ gain.T


def expanded(point: Tensor, x_t: Tensor, alpha_bar: float) -> Tensor:
    """Return x_0 = ``point`` for every row: the posterior mean of a distribution with a single state."""
    return point.expand_as(x_t)


def halve(x_t: Tensor, t: int) -> Tensor:
    """Return half of x_t, as a denoiser whose output depends on its input only."""
    return 0.5 * x_t


class SamplerContract(Contract):
    """Tests that run on every registered sampler."""

    registry = SAMPLERS

    @pytest.mark.parametrize('shape', STATES)
    @pytest.mark.parametrize('kind', PREDICTION_TYPES)
    def test_a_gaussian_is_sampled_with_its_mean_and_covariance(
        self, component: Any, kind: str, shape: tuple[int, ...]
    ) -> None:
        """The output is affine in the noise, so zero noise and unit vectors give its exact mean and covariance."""
        scheduler = CosineNoiseScheduler(200, prediction_type=kind)  # ends at alpha_bar 6e-8: x_T is the prior
        size, draws = prod(shape), component.num_draws(scheduler, 200)
        gaussian = Gaussian(size)
        units = torch.eye(draws * size, dtype=torch.float64).reshape(draws * size, draws, *shape).transpose(0, 1)
        noise = torch.cat([torch.zeros_like(units[:, :1]), units], dim=1)
        drawn = component.sample(perfect_denoiser(scheduler, gaussian.posterior_mean), noise, scheduler, 200).flatten(1)
        jacobian = drawn[1:] - drawn[0]
        scale = gaussian.covariance.diagonal().max()
        assert float((drawn[0] - gaussian.mean).abs().max()) < 0.002 * scale**0.5
        assert float((jacobian.T @ jacobian - gaussian.covariance).abs().max()) < 0.03 * scale

    @pytest.mark.parametrize('shape', STATES)
    @pytest.mark.parametrize('steps', [1, 4, 20])
    def test_a_point_distribution_is_sampled_exactly(self, component: Any, steps: int, shape: tuple[int, ...]) -> None:
        """For a Gaussian without variance no step has a discretisation error."""
        for kind in PREDICTION_TYPES:
            scheduler = LinearNoiseScheduler(100, prediction_type=kind)
            generator = torch.Generator().manual_seed(0)
            point = torch.randn(prod(shape), generator=generator, dtype=torch.float64)
            denoise = perfect_denoiser(scheduler, partial(expanded, point))
            draws = component.num_draws(scheduler, steps)
            noise = torch.randn(draws, 3, *shape, generator=generator, dtype=torch.float64)
            out = component.sample(denoise, noise, scheduler, steps)
            torch.testing.assert_close(out, point.reshape(shape).expand_as(out), rtol=0, atol=1e-5)

    def test_every_step_calls_the_denoiser_once_with_less_noise(self, component: Any) -> None:
        scheduler = LinearNoiseScheduler(20)
        steps = component.default_steps(scheduler)
        visited: list[int] = []

        def denoise(x_t: Tensor, t: int) -> Tensor:
            visited.append(t)
            return halve(x_t, t)

        noise = torch.randn(component.num_draws(scheduler, steps), 2, *STATES[0])
        component.sample(denoise, noise, scheduler, steps)
        assert len(visited) == steps
        assert visited == sorted(set(visited), reverse=True)

    def test_all_draws_are_used_and_a_wrong_number_is_an_error(self, component: Any) -> None:
        scheduler = LinearNoiseScheduler(20)
        steps = component.default_steps(scheduler)
        draws = component.num_draws(scheduler, steps)
        noise = torch.randn(draws, 2, *STATES[0], generator=torch.Generator().manual_seed(0))
        out = component.sample(halve, noise, scheduler, steps)
        for draw in range(draws):
            changed = noise.clone()
            changed[draw] += 1
            assert not torch.equal(component.sample(halve, changed, scheduler, steps), out)
        for wrong in (draws - 1, draws + 1):
            with pytest.raises(ValueError, match='draws'):
                component.sample(halve, noise[:1].expand(wrong, *noise.shape[1:]), scheduler, steps)

    @pytest.mark.parametrize('shape', STATES)
    def test_rows_are_independent_and_runs_repeatable(self, component: Any, shape: tuple[int, ...]) -> None:
        scheduler = LinearNoiseScheduler(20)
        steps = component.default_steps(scheduler)
        noise = torch.randn(component.num_draws(scheduler, steps), 3, *shape)
        given = noise.clone()
        together = component.sample(halve, noise, scheduler, steps)
        assert torch.equal(noise, given)
        for row in range(3):
            alone = component.sample(halve, noise[:, row : row + 1], scheduler, steps)
            torch.testing.assert_close(alone, together[row : row + 1])

    @pytest.mark.parametrize('shape', STATES)
    def test_arithmetic_stays_in_float32_under_a_bfloat16_denoiser(
        self, component: Any, shape: tuple[int, ...]
    ) -> None:
        scheduler = LinearNoiseScheduler(20)
        steps = component.default_steps(scheduler)
        noise = torch.randn(component.num_draws(scheduler, steps), 3, *shape)
        seen = []

        def denoise(x_t: Tensor, t: int) -> Tensor:
            seen.append(x_t.dtype)
            return x_t.bfloat16()

        out = component.sample(denoise, noise, scheduler, steps)
        assert {out.dtype, *seen} == {torch.float32}
        assert out.shape == noise.shape[1:]
        assert out.isfinite().all()
