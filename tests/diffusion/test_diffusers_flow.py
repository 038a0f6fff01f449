"""diffusers' flow-matching scheduler: the signs, the direction and the grid are those of its own loop."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import CosinePath, LinearNoiseScheduler, LinearPath
from posediff.diffusion.prediction import from_x_0_and_epsilon, to_x_0_and_epsilon
from posediff.diffusion.samplers import DDIMSampler, StochasticFlowSampler
from posediff.registry import SAMPLERS

diffusers = pytest.importorskip('diffusers', reason='the diffusers adapter needs the optional extra')

STATES = [(4, 5, 3), (5, 6, 4)]  # (T, K, 3) and (K, H, W)
NAME = 'diffusers.FlowMatchEulerDiscreteScheduler'


def build(**kwargs):
    return SAMPLERS.build({'type': NAME, **kwargs})


def velocity(x_t: Tensor, t: float) -> Tensor:
    """Some network that follows the convention here: dx/dt with t = 1 the data."""
    return torch.tanh(x_t) + 0.5 * t


def reading(path: LinearPath):
    """The same network with the prediction type of a path."""

    def denoise(x_t: Tensor, t: float) -> Tensor:
        pair = to_x_0_and_epsilon('velocity', velocity(x_t, t), x_t, path.level(t))
        return from_x_0_and_epsilon(path.prediction_type, *pair, path.level(t))

    return denoise


def their_loop(x_t: Tensor, sigmas: list[float], draws=(), **options) -> Tensor:
    """The loop of diffusers' pipelines with a network of its convention: sigma·1000 in, epsilon - x_0 out."""
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(**options)
    scheduler.set_timesteps(sigmas=sigmas)
    for timestep, z in zip(scheduler.timesteps, [*draws, *[None] * len(sigmas)], strict=False):
        sigma = float(timestep) / 1000
        output = -velocity(x_t, 1 - sigma)
        if z is None:
            x_t = scheduler.step(output, timestep, x_t).prev_sample
        else:  # the formula of their stochastic sampling, with given noise
            after = float(scheduler.sigmas[(scheduler.timesteps == timestep).nonzero()[0, 0] + 1])
            x_t = (1 - after) * (x_t - sigma * output) + after * z
    return x_t


@pytest.mark.parametrize('shape', STATES)
@pytest.mark.parametrize('kind', LinearPath.prediction_types)
@pytest.mark.parametrize(('steps', 'sigmas'), [(1, [1]), (3, [1, 2 / 3, 1 / 3]), (5, [1, 0.8, 0.6, 0.4, 0.2])])
def test_it_walks_the_grid_k_over_s_like_their_own_loop(kind, steps, sigmas, shape):
    path, noise = LinearPath(kind), torch.randn(1, 2, *shape, generator=torch.Generator().manual_seed(0))
    ours = build().sample(reading(path), noise, path, steps)
    torch.testing.assert_close(ours, their_loop(noise[0], sigmas), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours, DDIMSampler().sample(reading(path), noise, path, steps), rtol=1e-5, atol=1e-5)


def test_their_default_grid_is_another_one():
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(3)
    assert scheduler.sigmas.tolist() == pytest.approx([1, 0.5005, 0.001, 0], abs=1e-6)
    times = [t for t, _ in build().pairs(LinearPath(), 3)]
    assert times == pytest.approx([0, 1 / 3, 2 / 3], abs=1e-6)


@pytest.mark.parametrize('shift', [0.1, 3.0])
def test_their_shift_is_ours(shift):
    path, noise = LinearPath(), torch.randn(1, 2, 4, 5, 3, generator=torch.Generator().manual_seed(0))
    ours = DDIMSampler(shift=shift).sample(velocity, noise, path, 4)
    torch.testing.assert_close(build(shift=shift).sample(velocity, noise, path, 4), ours, rtol=1e-5, atol=1e-5)
    theirs = their_loop(noise[0], [1, 0.75, 0.5, 0.25], shift=shift)
    torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('shape', STATES)
def test_stochastic_sampling_is_theirs_with_the_given_noise(shape):
    path, noise = LinearPath(), torch.randn(3, 2, *shape, generator=torch.Generator().manual_seed(0))
    sampler = build(stochastic_sampling=True)
    assert sampler.num_draws(path, 3) == 3
    found = sampler.sample(velocity, noise, path, 3)
    theirs = their_loop(noise[0], [1, 2 / 3, 1 / 3], [*noise[1:], torch.zeros(())], stochastic_sampling=True)
    torch.testing.assert_close(found, theirs, rtol=1e-5, atol=1e-5)
    ours = StochasticFlowSampler().sample(velocity, noise, path, 3)
    torch.testing.assert_close(found, ours, rtol=1e-5, atol=1e-5)
    torch.manual_seed(3)  # no other random numbers
    assert torch.equal(found, sampler.sample(velocity, noise, path, 3))


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (lambda: build(num_train_timesteps=500), "takes no argument 'num_train_timesteps'"),
        (lambda: build().num_draws(LinearNoiseScheduler(50), 3), f'{NAME} follows the linear path, not LinearNoise'),
        (lambda: build().num_draws(CosinePath(), 3), 'not CosinePath'),
        (lambda: build(use_dynamic_shifting=True).num_draws(LinearPath(), 3),
         'with use_dynamic_shifting=True cannot be used in 3 steps: it fails with ValueError: `mu` must be passed'),
        (lambda: build(invert_sigmas=True).num_draws(LinearPath(), 2), 'it has the grid 0, 0.5, 1, which does'),
        (lambda: SAMPLERS.build({'type': 'diffusers.DDIMScheduler'}).num_draws(LinearPath(), 5),
         'diffusers.DDIMScheduler follows a table of betas, and the continuous LinearPath has none; use'),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()
