"""Samplers against closed forms, against each other and against diffusers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import BetasNoiseScheduler, CosineNoiseScheduler, LinearNoiseScheduler
from posediff.diffusion.samplers import DDIMSampler, DDPMSampler, DPMSolverSampler


def test_the_error_on_a_gaussian_falls_with_the_order_of_the_solver():
    """Halving the step divides DDIM's error by 2 and DPM-Solver++(2M)'s by 4 or so."""
    scheduler = CosineNoiseScheduler(1000, max_beta=0.05, prediction_type='sample')
    mean, variance = 0.7, 0.3
    x_T = torch.tensor([[[-1.5], [0.5], [2.0]]], dtype=torch.float64)

    def denoise(x_t: Tensor, t: int) -> Tensor:
        a = scheduler.alpha_bar_at(t)
        return mean + a**0.5 * variance / (a * variance + 1 - a) * (x_t - a**0.5 * mean)

    def error(sampler, steps):
        return float((sampler.sample(denoise, x_T, scheduler, steps) - exact).norm())

    # the probability flow keeps a number's place among the Gaussians that it runs through
    a = scheduler.alpha_bar_at(999)
    exact = mean + (variance / (a * variance + 1 - a)) ** 0.5 * (x_T[0] - a**0.5 * mean)
    assert error(DDIMSampler(), 40) == pytest.approx(error(DDIMSampler(), 20) / 2, rel=0.2)
    assert error(DPMSolverSampler(), 160) < 0.3 * error(DPMSolverSampler(), 80)
    assert error(DPMSolverSampler(), 40) < 0.1 * error(DDIMSampler(), 40)


def test_ancestral_sampling_is_ddim_with_eta_1():
    scheduler = LinearNoiseScheduler(50, 1e-4, 0.5)
    noise = torch.randn(10, 3, 2, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(
        DDPMSampler().sample(lambda x_t, _: torch.tanh(x_t), noise, scheduler, 10),
        DDIMSampler(eta=1.0).sample(lambda x_t, _: torch.tanh(x_t), noise, scheduler, 10),
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


@pytest.mark.parametrize('kind', BetasNoiseScheduler.prediction_types)
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


def test_a_step_knows_the_state_of_the_step_before():
    class Recorder(DDIMSampler):
        def step(self, step, z):
            steps.append(step)
            return super().step(step, z)

    steps: list = []
    schedule = CosineNoiseScheduler(50, prediction_type='epsilon')
    Recorder().sample(lambda x_t, t: torch.zeros_like(x_t), torch.ones(1, 2, 3), schedule, 3)
    assert steps[0].previous is None
    for before, after in zip(steps, steps[1:], strict=False):
        assert torch.equal(after.previous.x_t, before.x_t)
        assert after.previous.alpha_bar_prev == after.alpha_bar
        assert not torch.equal(after.x_t, before.x_t)
