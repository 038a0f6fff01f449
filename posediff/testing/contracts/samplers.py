"""Contract tests of all registered samplers, plugins included; see posediff.diffusion.samplers.base.

Every test runs on a table and on continuous paths. A sampler may refuse one of the two kinds when it is asked for its
draws, by an error that names the path, but not both; a sampler that uses ``Step.alpha_bar`` is one of tables.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import pytest
import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import (
    CosineNoiseScheduler,
    CosinePath,
    GaussianPath,
    LinearNoiseScheduler,
    LinearPath,
)
from posediff.diffusion.prediction import from_x_0_and_epsilon
from posediff.registry import SAMPLERS
from posediff.testing.contracts.base import Contract

STATES = [(2, 2, 3), (3, 2, 2)]  # (T, K, 3) and (K, H, W)

Estimate = Callable[[Tensor, float, float], Tensor]
"""Returns x_0 (N, S) from a flattened x_t (N, S) and the signal and noise of its time."""


def perfect_denoiser(path: GaussianPath, x_0_of: Estimate, keep: bool = False) -> Callable[[Tensor, float], Tensor]:
    """Create a denoiser that predicts x_0 = ``x_0_of(x_t, signal, noise)``, with x_t flattened to (N, S).

    Its output has the prediction type of the path. At the clean end, where x_t does not contain epsilon, epsilon is its
    mean 0, or with ``keep`` that of the previous call: for a single state, epsilon is constant on the way there.
    """
    known: list[Tensor] = []

    def denoise(x_t: Tensor, t: float) -> Tensor:
        level = path.level(t)
        signal, noise = level.signal, level.noise
        flat = x_t.flatten(1).double()
        x_0 = x_0_of(flat, signal, noise)
        epsilon = (flat - signal * x_0) / noise if noise else known[-1] if keep else torch.zeros_like(flat)
        known[:] = [epsilon]
        output = from_x_0_and_epsilon(path.prediction_type, x_0, epsilon, level)
        return output.reshape(x_t.shape).to(x_t.dtype)

    return denoise


class Gaussian:
    """A prior x_0 ~ N(mean, covariance) of flattened states, with its exact posterior mean given x_t."""

    def __init__(self, size: int) -> None:
        generator = torch.Generator().manual_seed(0)
        root = torch.randn(size, size, generator=generator, dtype=torch.float64) / size**0.5
        self.covariance = 0.3 * root @ root.T + 0.05 * torch.eye(size, dtype=torch.float64)
        self.mean = torch.randn(size, generator=generator, dtype=torch.float64)

    def posterior_mean(self, x_t: Tensor, signal: float, noise: float) -> Tensor:
        marginal = signal**2 * self.covariance + noise**2 * torch.eye(len(self.mean), dtype=torch.float64)
        gain = signal * torch.linalg.solve(marginal, self.covariance).T
        return self.mean + (x_t - signal * self.mean) @ gain.T


def expanded(point: Tensor, x_t: Tensor, signal: float, noise: float) -> Tensor:
    """Return x_0 = ``point`` for every row: the posterior mean of a distribution with a single state."""
    return point.expand_as(x_t)


def halve(x_t: Tensor, t: float) -> Tensor:
    """Return half of x_t, as a denoiser whose output depends on its input only."""
    return 0.5 * x_t


def paths() -> list[GaussianPath]:
    """Return a path of each kind."""
    return [LinearNoiseScheduler(20), LinearPath(), LinearPath('sample'), CosinePath('v_prediction')]


def works_on(component: Any, path: GaussianPath) -> bool:
    """Return whether a sampler works on a path.

    One that does not says so by an error that names the path, or by using what only tables have (``alpha_bar``).
    """
    try:
        steps = component.default_steps(path)
        component.sample(halve, torch.zeros(component.num_draws(path, steps), 1, 2), path, steps)
    except (ValueError, AttributeError) as error:
        if not path.continuous and isinstance(error, AttributeError):
            raise
        if type(path).__name__ not in str(error) and 'alpha_bar' not in str(error):
            raise
        return False
    return True


def most_steps(component: Any, path: GaussianPath, wanted: int) -> int:
    """Return the largest number of denoiser calls up to ``wanted`` that the sampler can make, at least 1 or 2."""
    for steps in (wanted, wanted - 1, 2):
        try:
            component.num_draws(path, steps)
        except ValueError as error:
            if 'num_inference_steps' not in str(error):
                raise
        else:
            return steps
    raise AssertionError(f'no number of steps near {wanted} works')


class SamplerContract(Contract):
    """Tests that run on every registered sampler."""

    registry = SAMPLERS

    @pytest.fixture
    def usable(self, component: Any) -> list[GaussianPath]:
        """Paths on which the sampler works."""
        found = [path for path in paths() if works_on(component, path)]
        assert found, 'the sampler works on no path'
        return found

    @pytest.mark.parametrize('shape', STATES)
    def test_a_gaussian_is_sampled_with_its_mean_and_covariance(self, component: Any, shape: tuple[int, ...]) -> None:
        """The output is affine in the noise, so zero noise and unit vectors give its exact mean and covariance."""
        # the table ends at alpha_bar 6e-8: x_T is the prior
        tables = [CosineNoiseScheduler(200, prediction_type=kind) for kind in CosineNoiseScheduler.prediction_types]
        known = [*tables, LinearPath('velocity'), LinearPath('sample'), CosinePath('v_prediction')]
        works = [path for path in known if works_on(component, path)]
        assert works, 'the sampler works on no path'
        for path in works:
            name = f'{type(path).__name__} with {path.prediction_type}'
            steps = most_steps(component, path, 200)
            size, draws = prod(shape), component.num_draws(path, steps)
            gaussian = Gaussian(size)
            units = torch.eye(draws * size, dtype=torch.float64).reshape(draws * size, draws, *shape).transpose(0, 1)
            noise = torch.cat([torch.zeros_like(units[:, :1]), units], dim=1)
            drawn = component.sample(perfect_denoiser(path, gaussian.posterior_mean), noise, path, steps).flatten(1)
            jacobian = drawn[1:] - drawn[0]
            scale = gaussian.covariance.diagonal().max()
            # in equal steps of a continuous path, a first-order step is coarser near the clean signal than on the table
            mean_limit, limit = (0.02, 0.1) if path.continuous else (0.002, 0.03)
            assert float((drawn[0] - gaussian.mean).abs().max()) < mean_limit * scale**0.5, name
            if getattr(component, 'keeps_spread', True):
                assert float((jacobian.T @ jacobian - gaussian.covariance).abs().max()) < limit * scale, name

    @pytest.mark.parametrize('shape', STATES)
    @pytest.mark.parametrize('steps', [1, 4, 20])
    def test_a_point_distribution_is_sampled_exactly(self, component: Any, steps: int, shape: tuple[int, ...]) -> None:
        """For a Gaussian without variance no step has a discretisation error."""
        tables = [LinearNoiseScheduler(100, prediction_type=kind) for kind in LinearNoiseScheduler.prediction_types]
        continuous = [LinearPath(kind) for kind in LinearPath.prediction_types]
        for path in (path for path in [*tables, *continuous] if works_on(component, path)):
            generator = torch.Generator().manual_seed(0)
            point = torch.randn(prod(shape), generator=generator, dtype=torch.float64)
            denoise = perfect_denoiser(path, partial(expanded, point), keep=True)
            calls = most_steps(component, path, steps)
            noise = torch.randn(component.num_draws(path, calls), 3, *shape, generator=generator, dtype=torch.float64)
            out = component.sample(denoise, noise, path, calls)
            torch.testing.assert_close(out, point.reshape(shape).expand_as(out), rtol=0, atol=1e-5)

    def test_the_number_of_steps_is_that_of_denoiser_calls_with_less_and_less_noise(
        self, component: Any, usable: list[GaussianPath]
    ) -> None:
        for path in usable:
            steps = component.default_steps(path)
            visited: list[float] = []

            def denoise(x_t: Tensor, t: float, visited: list[float] = visited) -> Tensor:
                visited.append(t)
                return halve(x_t, t)

            noise = torch.randn(component.num_draws(path, steps), 2, *STATES[0])
            component.sample(denoise, noise, path, steps)
            assert len(visited) == steps
            assert visited[0] == pytest.approx(path.start)
            assert visited == sorted(visited, reverse=not path.continuous)
            # with two calls per step, the second one may be where the next step begins
            assert len(set(visited)) > len(visited) / getattr(component, 'calls_per_step', 1) - 1

    def test_all_draws_are_used_and_a_wrong_number_is_an_error(
        self, component: Any, usable: list[GaussianPath]
    ) -> None:
        for path in usable:
            steps = most_steps(component, path, 4) if path.continuous else component.default_steps(path)
            draws = component.num_draws(path, steps)
            noise = torch.randn(draws, 2, *STATES[0], generator=torch.Generator().manual_seed(0))
            out = component.sample(halve, noise, path, steps)
            for draw in range(draws):
                changed = noise.clone()
                changed[draw] += 1
                assert not torch.equal(component.sample(halve, changed, path, steps), out)
            for wrong in (draws - 1, draws + 1):
                with pytest.raises(ValueError, match='draws'):
                    component.sample(halve, noise[:1].expand(wrong, *noise.shape[1:]), path, steps)

    @pytest.mark.parametrize('shape', STATES)
    def test_rows_are_independent_and_runs_repeatable(
        self, component: Any, usable: list[GaussianPath], shape: tuple[int, ...]
    ) -> None:
        for path in usable:
            steps = component.default_steps(path)
            noise = torch.randn(component.num_draws(path, steps), 3, *shape)
            given = noise.clone()
            together = component.sample(halve, noise, path, steps)
            assert torch.equal(noise, given)
            for row in range(3):
                alone = component.sample(halve, noise[:, row : row + 1], path, steps)
                torch.testing.assert_close(alone, together[row : row + 1])

    @pytest.mark.parametrize('shape', STATES)
    def test_arithmetic_stays_in_float32_under_a_bfloat16_denoiser(
        self, component: Any, usable: list[GaussianPath], shape: tuple[int, ...]
    ) -> None:
        for path in usable:
            steps = component.default_steps(path)
            noise = torch.randn(component.num_draws(path, steps), 3, *shape)
            seen: list[torch.dtype] = []

            def denoise(x_t: Tensor, t: float, seen: list[torch.dtype] = seen) -> Tensor:
                seen.append(x_t.dtype)
                return x_t.bfloat16()

            out = component.sample(denoise, noise, path, steps)
            assert {out.dtype, *seen} == {torch.float32}
            assert out.shape == noise.shape[1:]
            assert out.isfinite().all()
