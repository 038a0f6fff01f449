"""Continuous paths and few-step samplers against closed forms, on both shapes of states."""

from __future__ import annotations

import math

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
from posediff.diffusion.prediction import from_x_0_and_epsilon, to_x_0_and_epsilon
from posediff.diffusion.samplers import (
    DDIMSampler,
    DDPMSampler,
    DPMSolverSampler,
    HeunSampler,
    MidpointSampler,
    StochasticFlowSampler,
)

STATES = [(4, 5, 3), (5, 6, 4)]  # (T, K, 3) and (K, H, W)
# Fraction of the spread s of a Gaussian that is left after S Euler steps k/S: the product of |1 + c(k/S)/S|.
EULER = {
    1.0: {1: 0, 3: 0.640, 5: 0.771, 10: 0.879, 20: 0.938, 50: 0.975},
    0.3: {1: 0, 3: 0.470, 5: 0.666, 10: 0.823, 20: 0.908, 50: 0.962},
    0.1: {1: 0, 3: 0.194, 5: 0.360, 10: 0.617, 20: 0.796, 50: 0.914},
    0.05: {1: 0, 3: 0.099, 5: 0.194, 10: 0.398, 20: 0.639, 50: 0.844},
}
MIDPOINT = {
    1.0: {3: 0.995, 5: 0.999, 10: 1.000, 25: 1.000},
    0.3: {3: 0.983, 5: 0.996, 10: 0.999, 25: 1.000},
    0.1: {3: 0.666, 5: 0.882, 10: 0.988, 25: 0.999},
    0.05: {3: 0.380, 5: 0.603, 10: 0.888, 25: 0.994},
}
HEUN = {1.0: {3: 0.977, 10: 0.999}, 0.3: {3: 1.046, 10: 1.010}, 0.1: {3: 1.850, 10: 1.083}, 0.05: {3: 3.426, 10: 1.353}}


def exact(path: GaussianPath, mean: float, spread: float):
    """The denoiser of x_0 ~ N(mean, spread²) on any path."""

    def denoise(x_t: Tensor, t: float) -> Tensor:
        level = path.level(t)
        a, s = level.signal, level.noise
        surprise = (x_t - a * mean) / (a**2 * spread**2 + s**2)
        x_0, epsilon = mean + a * spread**2 * surprise, s * surprise
        return from_x_0_and_epsilon(path.prediction_type, x_0, epsilon, level)

    return denoise


def field(mean: float, spread: float):
    """The same on the linear path, from the closed form of the velocity."""

    def denoise(x_t: Tensor, t: float) -> Tensor:
        c = (t * spread**2 - (1 - t)) / ((1 - t) ** 2 + t**2 * spread**2)
        return mean + c * (x_t - t * mean)

    return denoise


def draw(shape: tuple[int, ...], rows: int = 2) -> Tensor:
    return torch.randn(1, rows, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def spread_left(sampler, path, denoise, shape, calls: int) -> float:
    """Return the factor of x_T in the result, which is affine in it, and check that it is the same everywhere."""
    noise = draw(shape)
    out, centre = (sampler.sample(denoise, one, path, calls) for one in (noise, torch.zeros_like(noise)))
    factors = (out - centre) / noise[0]
    torch.testing.assert_close(factors, factors.mean().expand_as(factors), rtol=0, atol=1e-9)
    return float(factors.mean())


@pytest.mark.parametrize('shape', STATES)
@pytest.mark.parametrize('spread', EULER)
def test_spread_after_euler_steps_is_the_closed_form(spread, shape):
    found = []
    for steps, rounded in EULER[spread].items():
        factor = 1.0
        for k in range(steps):
            t = k / steps
            factor *= 1 + (t * spread**2 - (1 - t)) / ((1 - t) ** 2 + t**2 * spread**2) / steps
        left = spread_left(DDIMSampler(), LinearPath(), field(0.7, spread), shape, steps)
        assert left == pytest.approx(factor, abs=1e-6)
        assert abs(left) / spread == pytest.approx(rounded, abs=6e-4)
        found.append(abs(left))
    assert found == sorted(found)
    assert found[-1] < spread


@pytest.mark.parametrize('shape', STATES)
def test_three_steps_keep_two_thirds_four_fifths_six_fifths_and_one_step_gives_the_mean(shape):
    assert spread_left(DDIMSampler(), LinearPath(), field(0, 1), shape, 3) == pytest.approx(0.64, abs=1e-12)
    out = DDIMSampler().sample(field(0.7, 0.3), draw(shape), LinearPath(), 1)
    torch.testing.assert_close(out, torch.full_like(out, 0.7))


@pytest.mark.parametrize('shape', STATES)
@pytest.mark.parametrize(('sampler', 'table'), [(MidpointSampler(), MIDPOINT), (HeunSampler(), HEUN)])
def test_two_calls_per_step_give_the_spread_of_the_table(sampler, table, shape):
    for spread, row in table.items():
        for steps, rounded in row.items():
            for kind in ('velocity', 'v_prediction'):
                path = LinearPath(kind)
                left = spread_left(sampler, path, exact(path, 0.7, spread), shape, 2 * steps)
                assert left / spread == pytest.approx(rounded, abs=6e-4)


def test_heun_overshoots_where_the_field_is_stiff():
    lefts = [spread_left(HeunSampler(), LinearPath(), field(0, 0.1), (2,), 2 * steps) for steps in (3, 10, 50)]
    assert lefts[0] > lefts[1] > lefts[2] > 0.1


@pytest.mark.parametrize(('steps', 'shift', 'left'), [(3, 1.0, 0.099), (3, 0.1, 0.59), (5, 1.0, 0.19), (5, 0.1, 0.74)])
def test_a_shift_to_the_clean_end_keeps_more_of_a_small_spread(steps, shift, left):
    found = spread_left(DDIMSampler(shift=shift), LinearPath(), field(0.7, 0.05), (2,), steps)
    assert abs(found) / 0.05 == pytest.approx(left, abs=6e-3)


@pytest.mark.parametrize('shift', [0.2, 3.0])
def test_a_shift_multiplies_noise_by_signal_at_all_times_but_the_first(shift):
    for path in (LinearPath(), CosinePath(), LinearNoiseScheduler(1000)):
        plain, moved = (DDIMSampler(shift=q).pairs(path, 5) for q in (1.0, shift))
        assert moved[0][0] == plain[0][0]
        assert moved[-1][1] == plain[-1][1] == path.clean
        assert [t_prev for _, t_prev in moved[:-1]] == [t for t, _ in moved[1:]]
        for (t, _), (before, _) in zip(moved[1:], plain[1:], strict=True):
            ratio, expected = (path.noise(time) / path.signal(time) for time in (t, before))
            assert ratio == pytest.approx(shift * expected, rel=1e-9 if path.continuous else 0.01)
    # data shrunk by a factor on the plain grid are data on the shifted grid
    left = spread_left(DDIMSampler(shift=shift), LinearPath(), field(0, 0.5), (2,), 4)
    wide = spread_left(DDIMSampler(), LinearPath(), field(0, 0.5 / shift), (2,), 4)
    assert left == pytest.approx(shift * wide, rel=1e-9)


@pytest.mark.parametrize('kind', LinearPath.prediction_types)
@pytest.mark.parametrize('shape', STATES)
@pytest.mark.parametrize('steps', [1, 2, 3, 7])
def test_ddim_is_euler_on_the_linear_path_whatever_the_output(kind, shape, steps):
    path = LinearPath(kind)

    def velocity(x_t: Tensor, t: float) -> Tensor:
        return torch.tanh(x_t) + t - 0.3

    def denoise(x_t: Tensor, t: float) -> Tensor:
        pair = to_x_0_and_epsilon('velocity', velocity(x_t, t), x_t, path.level(t))
        return from_x_0_and_epsilon(kind, *pair, path.level(t))

    noise = draw(shape)
    x = noise[0]
    for k in range(steps):
        x = x + velocity(x, k / steps) / steps
    torch.testing.assert_close(DDIMSampler().sample(denoise, noise, path, steps), x, rtol=0, atol=1e-12)


def test_epsilon_is_read_as_the_same_step_after_the_first_time():
    level, x_t, output = LinearPath().level(1 / 3), *draw((2, 3))[0]
    x_0, epsilon = to_x_0_and_epsilon('velocity', output, x_t, level)
    again = to_x_0_and_epsilon('epsilon', from_x_0_and_epsilon('epsilon', x_0, epsilon, level), x_t, level)
    torch.testing.assert_close(again, (x_0, epsilon), rtol=0, atol=1e-12)


@pytest.mark.parametrize('shape', STATES)
@pytest.mark.parametrize(
    'path',
    [
        CosinePath('velocity'), CosinePath('sample'), LinearNoiseScheduler(50), CosineNoiseScheduler(50),
        CosineNoiseScheduler(50, prediction_type='v_prediction', rescale_zero_terminal_snr=True),
    ],
)  # fmt: skip
def test_ddim_is_euler_of_the_straightened_state_on_other_paths(path, shape):
    """y = x / (signal + noise) is (1 - sigma)·x_0 + sigma·epsilon, with the slope epsilon - x_0."""
    noise = draw(shape)

    def denoise(x_t: Tensor, t: float) -> Tensor:
        return torch.tanh(x_t) + 0.01 * t

    x, pairs = noise[0], path.walk(5)
    for t, t_prev in pairs:
        a, s, a_prev, s_prev = path.signal(t), path.noise(t), path.signal(t_prev), path.noise(t_prev)
        x_0, epsilon = path.split(denoise(x, t), x, t)
        y = x / (a + s) + (s_prev / (a_prev + s_prev) - s / (a + s)) * (epsilon - x_0)
        x = y * (a_prev + s_prev)
    torch.testing.assert_close(DDIMSampler().sample(denoise, noise, path, 5), x, rtol=1e-9, atol=1e-9)


def test_velocity_is_the_derivative_of_x_t():
    x_0, epsilon = draw((3,))[0]
    for path in (LinearPath(), CosinePath()):
        for t in (0.0, 0.3, 0.9):
            h = 1e-5 if t else 0.0
            before, after = (path.signal(time) * x_0 + path.noise(time) * epsilon for time in (t - h, t + 1e-5))
            target = path.target(x_0, epsilon, torch.tensor([t], dtype=torch.float64)).double()
            torch.testing.assert_close(target, (after - before) / (h + 1e-5), rtol=0, atol=1e-4)
    torch.testing.assert_close(LinearPath().target(x_0, epsilon, torch.tensor([0.4])), x_0 - epsilon)


@pytest.mark.parametrize('shape', STATES)
@pytest.mark.parametrize('steps', [1, 2, 7])
@pytest.mark.parametrize('kind', LinearPath.prediction_types)
def test_a_velocity_that_is_constant_on_the_way_lands_on_x_0(kind, steps, shape):
    path, noise = LinearPath(kind), draw(shape)
    x_0 = torch.linspace(-3, 5, noise[0].numel(), dtype=torch.float64).reshape(noise[0].shape)

    def denoise(x_t: Tensor, t: float) -> Tensor:
        return from_x_0_and_epsilon(kind, x_0, noise[0], path.level(t))

    for sampler in (DDIMSampler(), DPMSolverSampler(), StochasticFlowSampler()):
        given = draw(shape).expand(sampler.num_draws(path, steps), *noise.shape[1:])
        torch.testing.assert_close(sampler.sample(denoise, given, path, steps), x_0, rtol=0, atol=1e-12)
    calls = 2 * steps
    torch.testing.assert_close(MidpointSampler().sample(denoise, noise, path, calls), x_0, rtol=0, atol=1e-12)
    if kind != 'sample':
        torch.testing.assert_close(HeunSampler().sample(denoise, noise, path, calls), x_0, rtol=0, atol=1e-12)


def test_the_error_falls_with_the_order_of_the_solver():
    """Twice the calls halve Euler's error and quarter those of the second-order methods."""
    for path in (LinearPath(), CosinePath('v_prediction'), LinearPath('sample')):

        def error(sampler, calls, path=path):
            left = spread_left(sampler, path, exact(path, 0.7, 0.3), (2,), calls)
            return abs(left - 0.3)

        assert error(DDIMSampler(), 320) == pytest.approx(error(DDIMSampler(), 160) / 2, rel=0.1)
        odd = path.prediction_type == 'sample'
        for sampler, fewer in ((MidpointSampler(), 0), (HeunSampler(), odd), (DPMSolverSampler(), 0)):
            assert error(sampler, 320 - fewer) < 0.35 * error(sampler, 160 - fewer)
            assert error(sampler, 320 - fewer) < 0.1 * error(DDIMSampler(), 320)


def test_stochastic_samplers_start_without_signal():
    """At signal 0 nothing of x_T is kept but its noise: the first mean is signal_prev·x_0."""
    x_T, z = draw((3,))[0]
    for sampler in (DDPMSampler(spacing=[0, 0.5]), DDIMSampler(eta=1.0, spacing=[0, 0.5])):
        seen = []
        sampler.sample(
            lambda x, t, seen=seen: seen.append(x) or torch.full_like(x, 2.0), torch.stack([x_T, z]),
            LinearPath('sample'), 2,
        )  # fmt: skip
        torch.testing.assert_close(seen[1], 0.5 * 2 + 0.5 * z)


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (lambda: LinearPath('epsilon'),
         "LinearPath: prediction_type 'epsilon' cannot be read where the signal-to-noise ratio is 0"),
        (lambda: CosineNoiseScheduler(50, rescale_zero_terminal_snr=True), "prediction_type 'epsilon' cannot be read"),
        (lambda: CosineNoiseScheduler(50, prediction_type='velocity'), "prediction_type 'velocity' is dx/dt, which a"),
        (lambda: LinearPath('flow'), "prediction_type must be one of epsilon, .*, got 'flow'"),
        (lambda: LinearPath(time_input='index'), "time_input must be one of time, log_snr, sigma_1000, got 'index'"),
        (lambda: LinearPath().level(1.5), r'time 1.5 is outside \[0, 1\] of LinearPath'),
        (lambda: LinearPath().levels(torch.tensor([3])), 'LinearPath takes real times in .*, got torch.int64'),
        (lambda: LinearPath().levels(torch.tensor([0.5, 20.0])), r'time 20 is outside \[0, 1\]'),
        (lambda: LinearPath().walk(3, 'trailing'), "spacing 'trailing' of a continuous path; it has 'uniform'"),
        (lambda: LinearPath().walk(2, [0.5, 0.25]), r'times must rise within \[0, 1\) .* got \[0.5, 0.25\]'),
        (lambda: LinearPath().walk(2, [0.0, 1.0]), 'times must rise'),
        (lambda: LinearPath().walk(1, [0.9]), r'times must start at t = 0, .* got \[0.9\]'),
        (lambda: DDIMSampler(spacing=[0.1, 0.5]).num_draws(CosinePath(), 2), r'start at t = 0, .* got \[0.1, 0.5\]'),
        (lambda: LinearPath().walk(3, [0, 0.5]), 'has 2 times, but num_inference_steps=3'),
        (lambda: LinearPath().walk(0), 'at least 1, got 0'),
        (lambda: CosineNoiseScheduler(9).walk(2, 'uniform'), "unknown timestep spacing 'uniform' of a table"),
        (lambda: CosineNoiseScheduler(9).walk(2, [8, 0.5]), 'timesteps of a table are whole numbers, got 0.5'),
        (lambda: CosineNoiseScheduler(9).levels(torch.tensor([0.5])), 'int64 timesteps, .* got torch.float32'),
        (lambda: CosineNoiseScheduler(9).level(0.5), '0.5 lies between the steps of a table'),
        (lambda: MidpointSampler().num_draws(LinearPath(), 3), 'num_inference_steps must be even, got 3'),
        (lambda: MidpointSampler(spacing=[8, 7]).num_draws(CosineNoiseScheduler(9), 4), 'between 8 and 7'),
        (lambda: HeunSampler().num_draws(LinearPath(), 3), 'num_inference_steps must be even, got 3'),
        (lambda: HeunSampler().num_draws(LinearPath('sample'), 4), 'one in the last.* must be odd, got 4'),
        (lambda: HeunSampler().num_draws(CosineNoiseScheduler(9), 4), 'must be odd, got 4'),
        (lambda: DDIMSampler(shift=0.01).pairs(CosineNoiseScheduler(20), 10), 'shift=0.01 with num_inf'),
        (lambda: DDIMSampler(shift=0), 'shift must be positive, got 0'),
    ],
)  # fmt: skip
def test_bad_values_are_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_a_step_has_alpha_bar_only_where_variance_is_preserved():
    class Recorder(DDIMSampler):
        def step(self, step, z):
            steps.append(step)
            return super().step(step, z)

    steps: list = []
    table = CosineNoiseScheduler(50)
    Recorder().sample(lambda x, t: x, draw((2,)), table, 2)
    assert steps[0].alpha_bar == pytest.approx(table.alpha_bar_at(49), rel=1e-12)
    assert steps[-1].alpha_bar_prev == 1.0
    Recorder().sample(lambda x, t: x, draw((2,)), LinearPath(), 2)
    with pytest.raises(ValueError, match='signal 0.5 and noise 0.5 has no alpha_bar'):
        _ = steps[-1].alpha_bar


def test_zero_terminal_snr_is_that_of_diffusers():
    module = pytest.importorskip('diffusers.schedulers.scheduling_ddim', reason='compared with diffusers')
    plain = CosineNoiseScheduler(100, prediction_type='sample')
    moved = CosineNoiseScheduler(100, prediction_type='sample', rescale_zero_terminal_snr=True)
    theirs = module.rescale_zero_terminal_snr(plain.beta)
    torch.testing.assert_close(moved.beta, theirs, rtol=1e-9, atol=1e-12)
    assert float(moved.alpha_bar[-1]) == 0.0
    assert moved.signal(99) == 0.0
    assert float(moved.alpha_bar[0]) == pytest.approx(float(plain.alpha_bar[0]), rel=1e-12)
    assert math.isclose(
        CosineNoiseScheduler(100, shift=4.0, prediction_type='sample', rescale_zero_terminal_snr=True).signal(99), 0.0
    )
