"""The traps of diffusers' schedulers are closed."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import pytest
import torch

from posediff.diffusion.noise_schedulers import (
    BetasNoiseScheduler,
    CosineNoiseScheduler,
    LinearNoiseScheduler,
    QuadraticNoiseScheduler,
)
from posediff.diffusion.samplers import DDIMSampler
from posediff.registry import SAMPLERS

diffusers = pytest.importorskip('diffusers', reason='the diffusers adapter needs the optional extra')

# Every option of diffusers' schedulers that changes how they walk, one value at a time.
OPTIONS: dict[str, list[Any]] = {
    'use_karras_sigmas': [True], 'use_exponential_sigmas': [True], 'use_beta_sigmas': [True], 'use_lu_lambdas': [True],
    'use_flow_sigmas': [True], 'rescale_betas_zero_snr': [True], 'timestep_spacing': ['leading', 'linspace'],
    'steps_offset': [1], 'thresholding': [True], 'clip_sample': [True], 'solver_order': [1, 3],
    'lower_order_final': [False, True], 'final_sigmas_type': ['sigma_min'], 'set_alpha_to_one': [False],
    'algorithm_type': ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++'],
    'solver_type': ['heun', 'bh1', 'bh2', 'midpoint', 'logrho'], 'euler_at_final': [True],
    'variance_type': ['fixed_large', 'fixed_large_log', 'fixed_small_log', 'learned', 'learned_range'],
    'snr_shift_scale': [1.0, 3.0], 'timestep_type': ['continuous'], 'interpolation_type': ['log_linear'],
    'skip_prk_steps': [True], 'predict_x0': [False], 'predictor_order': [1, 3], 'corrector_order': [1, 3],
    'lambda_min_clipped': [-5.1], 'sigma_min': [0.5], 'sigma_max': [5.0], 'original_inference_steps': [50, 10],
    'timestep_scaling': [1.0], 'disable_corrector': [[0]], 'flow_shift': [3.0], 'clip_sample_range': [1e-3],
}  # fmt: skip
SCHEDULES = {
    'linear, epsilon': (LinearNoiseScheduler(1000), 20),
    'cosine, x_0': (CosineNoiseScheduler(1000, prediction_type='sample'), 20),
    'shifted cosine, x_0': (CosineNoiseScheduler(1000, prediction_type='sample', shift=4.0), 20),
    'short cosine, v': (CosineNoiseScheduler(50, max_beta=0.5, prediction_type='v_prediction'), 5),
}
CLASSES = sorted(name for name in dir(diffusers) if name.endswith('Scheduler') and name != 'SchedulerMixin')


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
        ('FlowMatchHeunDiscreteScheduler', {}, 'cannot follow the noise schedule'),
        ('FlowMatchEulerDiscreteScheduler', {'beta_start': 0.1}, "takes no argument 'beta_start'"),
        ('DDIMInverseScheduler', {}, 'adds noise'),
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


@pytest.mark.parametrize('name', ['DDIMScheduler', 'DDPMScheduler'])
@pytest.mark.parametrize('schedule', [LinearNoiseScheduler, QuadraticNoiseScheduler, CosineNoiseScheduler])
@pytest.mark.parametrize('length', [7, 10, 20, 100])
def test_a_table_that_ends_in_pure_noise_is_followed(name, schedule, length):
    """In as many steps as the table has, the second one is next to alpha_bar 0."""
    path = schedule(length, prediction_type='sample', rescale_zero_terminal_snr=True)
    sampler = build(name)
    noise = torch.randn(sampler.num_draws(path, length), 2, 3, generator=torch.Generator().manual_seed(0))
    assert len(noise) == (1 if name == 'DDIMScheduler' else length)
    out = sampler.sample(lambda x, t: torch.full_like(x, 2.0), noise, path, length)
    assert float((out - 2).abs().max()) < 0.1


@pytest.mark.parametrize('steps', [10, 50])
@pytest.mark.parametrize(
    'name', ['DPMSolverMultistepScheduler', 'UniPCMultistepScheduler', 'EulerDiscreteScheduler', 'SASolverScheduler']
)
def test_schedulers_that_divide_by_the_signal_are_refused_on_pure_noise(name, steps):
    path = CosineNoiseScheduler(50, prediction_type='sample', rescale_zero_terminal_snr=True)
    said = f'{name} cannot be used .* in {steps} steps: it is not finite at timestep 49, where alpha_bar is 0; use DDIM'
    with pytest.raises(ValueError, match=said):
        build(name).num_draws(path, steps)


def test_fractional_timesteps_are_refused():
    sampler = build('EulerDiscreteScheduler', timestep_spacing='linspace')
    with pytest.raises(ValueError, match='fractional timestep'):
        sampler.sample(lambda x, t: x, torch.zeros(1, 1, 2), LinearNoiseScheduler(1000), 7)


def test_a_scheduler_that_does_not_exist_is_a_plain_error():
    with pytest.raises(KeyError, match=r"'diffusers.NoSuchScheduler' is not registered in samplers"):
        build('NoSuchScheduler')


def perfect(schedule: BetasNoiseScheduler, mean: float, variance: float):
    """The denoiser of x_0 ~ N(mean, variance), exact."""

    def denoise(x_t: torch.Tensor, t: int) -> torch.Tensor:
        a = schedule.alpha_bar_at(t)
        x = x_t.double()
        x_0 = mean + a**0.5 * variance / (a * variance + 1 - a) * (x - a**0.5 * mean)
        epsilon = (x - a**0.5 * x_0) / (1 - a) ** 0.5
        x_0_epsilon = {'epsilon': epsilon, 'sample': x_0, 'v_prediction': a**0.5 * epsilon - (1 - a) ** 0.5 * x_0}
        return x_0_epsilon[schedule.prediction_type].to(x_t.dtype)

    return denoise


def as_diffusers_says(name: str, options: dict, schedule: BetasNoiseScheduler, steps: int, denoise, seed: int):
    """The loop of diffusers' documentation, with noise from one generator: x_0 and every tensor that was drawn."""
    quiet = {'clip_sample': False, 'thresholding': False, 'timestep_spacing': 'trailing'}
    accepted = inspect.signature(getattr(diffusers, name).__init__).parameters
    scheduler = getattr(diffusers, name)(
        num_train_timesteps=schedule.num_train_timesteps,
        trained_betas=schedule.beta.tolist(),
        prediction_type=schedule.prediction_type,
        **{key: value for key, value in quiet.items() if key in accepted and key not in options},
        **options,
    )
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(seed)
    extra = {'generator': generator} if 'generator' in inspect.signature(scheduler.step).parameters else {}
    x_t = torch.randn(2, 5, 3, generator=generator) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        x_t = scheduler.step(denoise(scheduler.scale_model_input(x_t, t), int(t)), t, x_t, **extra).prev_sample
    return x_t


@pytest.mark.parametrize(
    'title', [pytest.param(title, marks=[] if 'short' in title else pytest.mark.slow) for title in SCHEDULES]
)
@pytest.mark.parametrize('name', CLASSES)
def test_every_class_and_option_equals_its_reference_or_is_refused_by_name(name, title):
    schedule, steps = SCHEDULES[title]
    accepted = inspect.signature(getattr(diffusers, name).__init__).parameters
    for options in [{}, *({key: value} for key in OPTIONS if key in accepted for value in OPTIONS[key])]:
        refused = ''
        try:
            draws = (sampler := build(name, **options)).num_draws(schedule, steps)
        except (ValueError, ImportError) as error:
            refused = str(error)
        if refused:
            assert f'diffusers.{name}' in refused
            assert '\n' not in refused
            if 'cannot be used' in refused:
                assert all(f'{key}={value!r}' in refused for key, value in options.items())
            continue
        generator = torch.Generator().manual_seed(4)
        noise = torch.stack([torch.randn(2, 5, 3, generator=generator) for _ in range(draws)])
        denoise = perfect(schedule, 0.7, 0.3)
        ours = sampler.sample(denoise, noise, schedule, steps)
        assert torch.equal(ours, as_diffusers_says(name, options, schedule, steps, denoise, 4)), options


def test_what_the_walks_were_tried_out_on():
    """Classes that are refused as a whole, so that a new version of diffusers is looked at."""
    schedule, steps = SCHEDULES['short cosine, v']
    works = set()
    for name in CLASSES:
        try:
            build(name).num_draws(schedule, steps)
        except (ValueError, ImportError):
            continue
        works.add(name.removesuffix('Scheduler'))
    assert works >= {
        'DDIM', 'DDPM', 'DEISMultistep', 'DPMSolverMultistep', 'DPMSolverSinglestep', 'EulerAncestralDiscrete',
        'EulerDiscrete', 'LCM', 'LMSDiscrete', 'SASolver', 'TCD', 'UniPCMultistep',
    }  # fmt: skip
    assert not {'IPNDM', 'EDMEuler', 'FlowMatchEulerDiscrete', 'HeunDiscrete', 'CogVideoXDDIM', 'PNDM'} & works


@pytest.mark.parametrize(
    ('name', 'options', 'said'),
    [
        ('DPMSolverMultistepScheduler', {'use_karras_sigmas': True},
         'diffusers.DPMSolverMultistepScheduler with use_karras_sigmas=True cannot be used with this noise schedule in '
         '20 steps: it goes from timestep 999 to 999'),
        ('EulerDiscreteScheduler', {'use_karras_sigmas': True}, 'it visits the fractional timestep'),
        ('CogVideoXDDIMScheduler', {}, 'it has a signal of .* at timestep 949; the noise schedule has 0.07784'),
        ('UniPCMultistepScheduler', {'use_flow_sigmas': True}, 'with use_flow_sigmas=True .* it has a signal of'),
        ('DDPMScheduler', {'variance_type': 'fixed_large'}, "'fixed_large' .* it ends with a signal of 1 and noise of"),
        ('DDPMScheduler', {'variance_type': 'learned'}, "variance_type='learned' .* it fails with TypeError"),
    ],
)  # fmt: skip
def test_walks_off_the_schedule_are_refused_in_one_line(name, options, said):
    with pytest.raises(ValueError, match=said):
        build(name, **options).num_draws(CosineNoiseScheduler(1000, prediction_type='sample'), 20)


@pytest.mark.parametrize('name', ['DDIMScheduler', 'DDPMScheduler', 'CogVideoXDDIMScheduler'])
def test_one_step_that_starts_at_0_is_refused(name):
    sampler = build(name, timestep_spacing='leading')
    with pytest.raises(ValueError, match="timestep_spacing='leading' .* in 1 steps: it starts at t = 0"):
        sampler.num_draws(LinearNoiseScheduler(1000), 1)


def test_options_that_cut_channels_are_refused():
    with pytest.raises(ValueError, match="SASolverScheduler with variance_type='learned' .* it fails with"):
        build('SASolverScheduler', variance_type='learned').num_draws(LinearNoiseScheduler(100), 10)


def test_two_threads_draw_each_their_own_noise():
    """Both are in the middle of a run at the same time, at every step."""
    schedule, sampler = LinearNoiseScheduler(100), build('DDPMScheduler')
    steps = 20
    noise = torch.randn(2, sampler.num_draws(schedule, steps), 1, 4, generator=torch.Generator().manual_seed(1))
    alone = [sampler.sample(lambda x, t: 0.9 * x, one, schedule, steps) for one in noise]
    together: list[Any] = [None, None]
    barrier = threading.Barrier(2, timeout=60)

    def run(which: int) -> None:
        def denoise(x_t: torch.Tensor, t: int) -> torch.Tensor:
            barrier.wait()
            return 0.9 * x_t

        together[which] = sampler.sample(denoise, noise[which], schedule, steps)

    threads = [threading.Thread(target=run, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(*pair) for pair in zip(alone, together, strict=True))
    drawn = torch.randn(3, generator=torch.Generator().manual_seed(5))
    assert torch.equal(torch.randn(3, generator=torch.Generator().manual_seed(5)), drawn)


def test_a_schedule_is_tried_out_once(monkeypatch):
    sampler, schedule = build('DDPMScheduler'), LinearNoiseScheduler(100)
    sampler.num_draws(schedule, 10)
    monkeypatch.setattr(sampler, '_try_out', None)
    assert sampler.num_draws(LinearNoiseScheduler(100), 10) == 11
    sampler.sample(lambda x, t: x, torch.zeros(11, 1, 2), schedule, 10)
