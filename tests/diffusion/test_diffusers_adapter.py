"""The traps of diffusers' schedulers are closed."""

from __future__ import annotations

import pytest
import torch

from posediff.diffusion.noise_schedulers import LinearNoiseScheduler
from posediff.diffusion.samplers import DDIMSampler
from posediff.registry import SAMPLERS

pytest.importorskip('diffusers', reason='the diffusers adapter needs the optional extra')


def build(name: str, **kwargs):
    return SAMPLERS.build({'type': f'diffusers.{name}', **kwargs})


@pytest.mark.parametrize(
    ('name', 'kwargs'),
    [
        ('UniPCMultistepScheduler', {}),
        ('DPMSolverMultistepScheduler', {}),
        ('DEISMultistepScheduler', {}),
        ('EulerDiscreteScheduler', {}),
        ('EulerAncestralDiscreteScheduler', {}),
        ('DDPMScheduler', {}),
        ('DDIMScheduler', {}),
        ('LCMScheduler', {'original_inference_steps': 50}),
    ],
)
def test_schedulers_run_and_follow_the_given_noise(name, kwargs):
    scheduler = LinearNoiseScheduler(100)
    sampler = build(name, **kwargs)
    draws = sampler.num_draws(scheduler, 10)
    noise = torch.randn(draws, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    first = sampler.sample(lambda x, t: 0.9 * x, noise, scheduler, 10)
    torch.manual_seed(99)  # the global generator must not matter
    second = sampler.sample(lambda x, t: 0.9 * x, noise, scheduler, 10)
    assert torch.equal(first, second)
    assert first.shape == (2, 3, 4)
    assert (draws > 1) == (name in ('EulerAncestralDiscreteScheduler', 'DDPMScheduler', 'LCMScheduler'))


def test_values_beyond_one_are_not_clipped_and_one_step_starts_in_the_noise():
    scheduler = LinearNoiseScheduler(1000, prediction_type='sample')
    seen = []
    out = build('DDIMScheduler').sample(
        lambda x, t: seen.append(t) or torch.full_like(x, 7.0), torch.zeros(1, 1, 2, 2), scheduler, 1
    )
    assert seen == [999]
    torch.testing.assert_close(out, torch.full_like(out, 7.0))


def test_their_ddim_is_ours():
    scheduler = LinearNoiseScheduler(1000)
    noise = torch.randn(1, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    ours = DDIMSampler().sample(lambda x, t: torch.tanh(x), noise, scheduler, 20)
    torch.testing.assert_close(
        build('DDIMScheduler').sample(lambda x, t: torch.tanh(x), noise, scheduler, 20), ours, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ('name', 'kwargs', 'said'),
    [
        ('DDIMScheduler', {'timestep_spacing': 'linspace'}, 'wrong timestep'),
        ('DDIMScheduler', {'beta_start': 0.1}, 'beta_start comes from the noise scheduler'),
        ('DDIMScheduler', {'etaa': 0.1}, "no argument 'etaa'"),
        ('FlowMatchEulerDiscreteScheduler', {}, 'cannot follow a schedule'),
        ('DDIMInverseScheduler', {}, 'runs forwards'),
    ],
)
def test_refusals_are_named(name, kwargs, said):
    with pytest.raises(ValueError, match=said):
        build(name, **kwargs)


@pytest.mark.parametrize(
    ('name', 'steps', 'said'),
    [
        ('DDIMScheduler', 30, 'take a divisor of 50, or DDIMSampler'),
        ('DDIMScheduler', 7, 'wrong timesteps'),
        ('HeunDiscreteScheduler', 10, 'makes 19 denoiser calls for num_inference_steps=10'),
    ],
)
def test_walks_that_go_wrong_in_diffusers_are_refused(name, steps, said):
    with pytest.raises(ValueError, match=said):
        build(name).num_draws(LinearNoiseScheduler(50), steps)


def test_fractional_timesteps_are_refused():
    sampler = build('EulerDiscreteScheduler', timestep_spacing='linspace')
    with pytest.raises(ValueError, match='fractional timestep'):
        sampler.sample(lambda x, t: x, torch.zeros(1, 1, 2), LinearNoiseScheduler(1000), 7)


def test_a_scheduler_that_does_not_exist_is_a_plain_error():
    with pytest.raises(KeyError, match=r"'diffusers.NoSuchScheduler' is not registered in samplers"):
        build('NoSuchScheduler')
