"""Samplers on a Gaussian whose exact denoiser is known, and against diffusers."""

from __future__ import annotations

from math import prod

import pytest
import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import BetasNoiseScheduler, CosineNoiseScheduler, LinearNoiseScheduler
from posediff.diffusion.prediction import PREDICTION_TYPES, from_x_0_and_epsilon
from posediff.diffusion.samplers import DDIMSampler, DDPMSampler, DPMSolverSampler
from posediff.plugins import load_plugins
from posediff.registry import SAMPLERS

STATES = [(2, 2, 3), (3, 2, 2)]  # (T, K, 3) and (K, H, W)
# Every registered sampler is checked, plugins' too; those that cannot be built without arguments get them here.
ARGUMENTS = {'DiffusersSampler': {'scheduler': 'DDIMScheduler'}}
load_plugins()
SAMPLERS.import_from_location()


class Gaussian:
    """x_0 ~ N(mean, covariance) over a flattened state, with the exact posterior mean of DDPM's forward process."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        generator = torch.Generator().manual_seed(0)
        size = prod(shape)
        root = torch.randn(size, size, generator=generator, dtype=torch.float64) / size**0.5
        self.covariance = 0.3 * root @ root.T + 0.05 * torch.eye(size, dtype=torch.float64)
        self.mean = torch.randn(size, generator=generator, dtype=torch.float64)

    def denoiser(self, scheduler: BetasNoiseScheduler):
        """The output that minimises the expected loss, in the scheduler's prediction type."""

        def denoise(x_t: Tensor, t: int) -> Tensor:
            alpha_bar = scheduler.alpha_bar_at(t)
            flat = x_t.flatten(1).double()
            marginal = alpha_bar * self.covariance + (1 - alpha_bar) * torch.eye(len(self.mean), dtype=torch.float64)
            gain = alpha_bar**0.5 * torch.linalg.solve(marginal, self.covariance).T
            x_0 = self.mean + (flat - alpha_bar**0.5 * self.mean) @ gain.T
            epsilon = (flat - alpha_bar**0.5 * x_0) / (1 - alpha_bar) ** 0.5
            output = from_x_0_and_epsilon(
                scheduler.prediction_type, x_0, epsilon, torch.tensor(alpha_bar, dtype=torch.float64)
            )
            return output.reshape(x_t.shape).to(x_t.dtype)

        return denoise


def sampled_moments(sampler, scheduler, gaussian: Gaussian, shape, steps: int) -> tuple[Tensor, Tensor]:
    """Exact mean and covariance of the output: it is affine in the noise, so unit noises give the whole map."""
    draws, size = sampler.num_draws(scheduler, steps), prod(shape)
    rows = 1 + draws * size
    noise = torch.zeros(draws, rows, size, dtype=torch.float64)
    for draw in range(draws):
        first = 1 + draw * size
        noise[draw, first : first + size] = torch.eye(size, dtype=torch.float64)
    out = sampler.sample(gaussian.denoiser(scheduler), noise.reshape(draws, rows, *shape), scheduler, steps)
    out = out.flatten(1)
    jacobian = out[1:] - out[0]
    return out[0], jacobian.T @ jacobian


@pytest.mark.parametrize('shape', STATES)
@pytest.mark.parametrize('kind', PREDICTION_TYPES)
@pytest.mark.parametrize('name', sorted(SAMPLERS.module_dict))
def test_a_gaussian_is_sampled_with_its_mean_and_covariance(name, kind, shape):
    if name == 'DiffusersSampler':
        pytest.importorskip('diffusers', reason='the diffusers adapter needs the optional extra')
    sampler = SAMPLERS.build({'type': name, **ARGUMENTS.get(name, {})})
    scheduler = CosineNoiseScheduler(200, prediction_type=kind)  # ends at alpha_bar 6e-8: x_T is the prior
    gaussian = Gaussian(shape)
    mean, covariance = sampled_moments(sampler, scheduler, gaussian, shape, 200)
    scale = gaussian.covariance.diagonal().max()
    assert float((mean - gaussian.mean).abs().max()) < 0.002 * scale**0.5
    assert float((covariance - gaussian.covariance).abs().max()) < 0.03 * scale


def test_the_error_on_a_gaussian_falls_with_the_order_of_the_solver():
    """Halving the step divides DDIM's error by 2 and DPM-Solver++(2M)'s by more."""
    shape, gaussian = STATES[0], Gaussian(STATES[0])
    scheduler = CosineNoiseScheduler(1000, max_beta=0.05)

    def error(sampler, steps):
        reference = sampled_moments(DDIMSampler(), scheduler, gaussian, shape, 1000)[0]
        return float((sampled_moments(sampler, scheduler, gaussian, shape, steps)[0] - reference).norm())

    assert error(DPMSolverSampler(), 20) < 0.5 * error(DDIMSampler(), 20)
    assert error(DDIMSampler(), 40) < 0.6 * error(DDIMSampler(), 20)


def test_ancestral_sampling_is_ddim_with_eta_1():
    gaussian, shape = Gaussian(STATES[0]), STATES[0]
    scheduler = LinearNoiseScheduler(50, 1e-4, 0.5)
    noise = torch.randn(10, 3, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    denoise = gaussian.denoiser(scheduler)
    torch.testing.assert_close(
        DDPMSampler().sample(denoise, noise, scheduler, 10), DDIMSampler(eta=1.0).sample(denoise, noise, scheduler, 10)
    )


def test_ancestral_variances_are_those_of_ddpm():
    scheduler = LinearNoiseScheduler(10, 0.05, 0.4, prediction_type='sample')
    alpha_bar, beta = scheduler.alpha_bar, scheduler.beta
    for variance, expected in {
        'posterior': float(beta[5] * (1 - alpha_bar[4]) / (1 - alpha_bar[5])),
        'beta': float(beta[5]),
    }.items():
        sampler = DDPMSampler(variance, spacing=[5, 4])
        noise = torch.zeros(2, 1, 1, dtype=torch.float64)
        noise[1] = 1
        seen = []
        sampler.sample(lambda x, _, seen=seen: seen.append(x) or torch.zeros_like(x), noise, scheduler, 2)
        assert float(seen[1]) ** 2 == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize('kind', PREDICTION_TYPES)
@pytest.mark.parametrize(('spacing', 'steps'), [('trailing', 10), ('leading', 5), ('trailing', 1)])
def test_ddim_equals_diffusers(kind, spacing, steps):
    diffusers = pytest.importorskip('diffusers', reason='compared with diffusers only where it is installed')
    scheduler = LinearNoiseScheduler(1000, prediction_type=kind)
    theirs = diffusers.DDIMScheduler(
        num_train_timesteps=1000,
        trained_betas=scheduler.beta.tolist(),
        prediction_type=kind,
        clip_sample=False,
        timestep_spacing=spacing,
    )
    theirs.set_timesteps(steps)
    x_T = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))

    def denoise(x_t: Tensor, t: int) -> Tensor:
        return 0.8 * torch.tanh(x_t) + 0.001 * t

    x_t = x_T
    for t in theirs.timesteps:
        x_t = theirs.step(denoise(x_t, int(t)), t, x_t).prev_sample
    ours = DDIMSampler(spacing=spacing).sample(denoise, x_T[None], scheduler, steps)
    torch.testing.assert_close(ours, x_t, rtol=1e-4, atol=1e-5)


def test_d3dp_step_clips_x_0_and_derives_epsilon_anew():
    scheduler = CosineNoiseScheduler(1000, prediction_type='sample')
    x_T = torch.tensor([[[2.0]]])
    out = DDIMSampler(spacing=[999, 499], clip_x_0=1.1).sample(lambda x, _: 3 * torch.ones_like(x), x_T, scheduler, 2)
    assert float(out) == pytest.approx(1.1)
    seen = []
    DDIMSampler(spacing=[999, 499], clip_x_0=1.1).sample(
        lambda x, _: seen.append(float(x)) or 3 * torch.ones_like(x), x_T, scheduler, 2
    )
    a, b = scheduler.alpha_bar_at(999), scheduler.alpha_bar_at(499)
    epsilon = (2.0 / a**0.5 - 1.1) / (1 / a - 1) ** 0.5
    assert seen[1] == pytest.approx(b**0.5 * 1.1 + (1 - b) ** 0.5 * epsilon, rel=1e-5)


@pytest.mark.parametrize(('sampler', 'draws'), [(DDIMSampler(), 1), (DDIMSampler(eta=0.5), 7), (DDPMSampler(), 7)])
def test_a_wrong_number_of_draws_is_an_error(sampler, draws):
    scheduler = LinearNoiseScheduler(50)
    assert sampler.num_draws(scheduler, 7) == draws
    with pytest.raises(ValueError, match=f'consumes {draws} random draws'):
        sampler.sample(lambda x, _: x, torch.zeros(draws + 1, 1, 2), scheduler, 7)


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (lambda: DDIMSampler(eta=2), 'eta must be in 0..1, got 2'),
        (lambda: DDPMSampler('large'), "'large'"),
        (lambda: DDPMSampler(clip_x_0=0), 'clip_x_0 must be positive'),
    ],
)
def test_bad_arguments_are_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()
