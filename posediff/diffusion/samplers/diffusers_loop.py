"""The sampling loop of diffusers schedulers, and a trial run that checks that they follow the noise schedule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from posediff.diffusion.noise_schedulers import BetasNoiseScheduler
from posediff.diffusion.prediction import from_x_0_and_epsilon
from posediff.diffusion.samplers.base import Denoise

# Schedulers compute in float32, and differences of 1 - beta lose more precision. In addition, half a timestep is
# allowed, since diffusers rounds timesteps.
TOLERANCE = 0.01
SMALL = 0.01  # magnitude of the trial signal, within the range of all clipping options


class ScheduleError(ValueError):
    """A scheduler does not follow the noise schedule; the message is a predicate, to be preceded by ``it``."""


class OwnNoise(TorchFunctionMode):
    """A mode that replaces the random numbers of a scheduler's step by ``draw``, in this thread and block only.

    Args:
        draw: Returns the next standard normal tensor of a shape.

    Raises:
        ScheduleError: The scheduler draws other than standard normal numbers.
    """

    def __init__(self, draw: Callable[[tuple[int, ...]], Tensor]) -> None:
        super().__init__()
        self._draw = draw

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.randn:
            size = args[0] if len(args) == 1 and not isinstance(args[0], int) else args
            return self._draw(tuple(size or (kwargs or {})['size']))
        if func is torch.randn_like:
            return self._draw(tuple(args[0].shape))
        if func in _OTHER_DRAWS:
            raise ScheduleError(f'draws with {func.__name__}, which given noise cannot replace')
        return func(*args, **(kwargs or {}))


_OTHER_DRAWS = {torch.rand, torch.rand_like, torch.randint, torch.randperm, torch.normal, torch.bernoulli,
                torch.multinomial}  # fmt: skip


def run_scheduler(scheduler: Any, denoise: Denoise, x_t: Tensor, draw: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
    """Run a diffusers scheduler from x_T to x_0.

    Args:
        scheduler: A scheduler whose ``set_timesteps`` was called.
        denoise: See :meth:`posediff.diffusion.samplers.base.BaseSampler.sample`.
        x_t: (N, …) x_T, scaled by the scheduler's ``init_noise_sigma``.
        draw: Returns the next standard normal tensor of a shape.

    Returns:
        (N, …) x_0.
    """
    for timestep in scheduler.timesteps:
        output = denoise(scheduler.scale_model_input(x_t, timestep), int(timestep))
        with OwnNoise(draw):
            x_t = scheduler.step(output.to(x_t.dtype), timestep, x_t).prev_sample
    return x_t


def count_draws(scheduler: Any, schedule: BetasNoiseScheduler) -> int:
    """Return the number of random tensors of a run, including x_T, from a trial run of the scheduler.

    The denoiser of the trial run predicts a known constant signal exactly. Therefore the coefficient of the signal in
    x_t must be sqrt(alpha_bar_t) in every call, for every solver and prediction type, and the result must be the
    signal.

    Raises:
        ScheduleError: The scheduler leaves the noise schedule, starts without noise or ends with noise; the message
            states the timestep.
    """
    timesteps = [float(t) for t in scheduler.timesteps]
    for t, t_next in zip(timesteps, [*timesteps[1:], -1.0], strict=True):
        if t != int(t):
            raise ScheduleError(f'visits the fractional timestep {t:g}')
        if t <= t_next:
            raise ScheduleError(f'goes from timestep {t:g} to {t_next:g}')
    first = int(timesteps[0])
    if not 0 <= first < schedule.num_train_timesteps:
        raise ScheduleError(f'starts at timestep {first}, outside 0..{schedule.num_train_timesteps - 1}')
    if first == 0 < schedule.num_train_timesteps - 1:
        raise ScheduleError('starts at t = 0, where there is hardly any noise to remove')
    alpha_bar = schedule.alpha_bar_at(first)
    scale = float(scheduler.scale_model_input(torch.ones(1, 1), scheduler.timesteps[0]))
    start = scale * float(scheduler.init_noise_sigma)
    if not math.isfinite(start):
        raise _not_finite(schedule, first)
    if not (1 - alpha_bar) ** 0.5 - TOLERANCE <= start <= 1 + TOLERANCE:
        raise ScheduleError(f'starts at timestep {first} with noise of {start:.4g}, not 1')

    # channels: 0 signal, 1 noise of x_T, from 2 on one per random draw; the remaining ones must stay zero
    signal, noise = torch.zeros(2, 1, 8 + 2 * len(timesteps), 1)
    signal[:, 0] = noise[:, 1] = SMALL
    draws = 0
    last: float = first

    def denoise(x_t: Tensor, t: float) -> Tensor:
        nonlocal last
        if not x_t.isfinite().all():
            raise _not_finite(schedule, last)
        last = t
        level = schedule.alpha_bar_at(t)
        share = float(x_t[0, 0, 0]) / SMALL
        if x_t[0, 2 + draws :].any():
            raise ScheduleError('draws noise of its own')
        if not _is_level(share, schedule, t):
            raise ScheduleError(f'has a signal of {share:.4g} at timestep {t}; the noise schedule has {level**0.5:.4g}')
        epsilon = (x_t.double() - level**0.5 * signal) / (1 - level) ** 0.5
        output = from_x_0_and_epsilon(schedule.prediction_type, signal.double(), epsilon, schedule.level(t))
        return output.to(x_t.dtype)

    def draw(shape: tuple[int, ...]) -> Tensor:
        nonlocal draws
        drawn = torch.zeros(shape)
        if shape == tuple(noise.shape):
            drawn[:, 2 + draws : 3 + draws] = SMALL
        draws += 1
        return drawn

    x_T = (alpha_bar**0.5 * signal + (1 - alpha_bar) ** 0.5 * noise) / scale
    end = run_scheduler(scheduler, denoise, x_T, draw)[0, :, 0] / SMALL
    if not end.isfinite().all():
        raise _not_finite(schedule, last)
    least = schedule.alpha_bar_at(0)
    if not (least**0.5 - TOLERANCE <= float(end[0]) <= 1 + TOLERANCE
            and float(end[1:].norm()) <= (1 - least) ** 0.5 + TOLERANCE):  # fmt: skip
        raise ScheduleError(f'ends with a signal of {float(end[0]):.4g} and noise of {float(end[1:].norm()):.4g}')
    return 1 + draws


def _not_finite(schedule: BetasNoiseScheduler, t: float) -> ScheduleError:
    if schedule.alpha_bar_at(t) > 0:
        return ScheduleError(f'is not finite at timestep {t:g}')
    return ScheduleError(
        f'is not finite at timestep {t:g}, where alpha_bar is 0; use DDIMSampler, DPMSolverSampler, '
        'diffusers.DDIMScheduler or diffusers.DDPMScheduler'
    )


def _is_level(share: float, schedule: BetasNoiseScheduler, t: float) -> bool:
    """Return whether ``share``, the coefficient of the signal in x_t, is that of timestep t to half a timestep."""
    if schedule.alpha_bar_at(t) == 0:
        return abs(share) <= TOLERANCE
    if not share > 0:
        return False
    off = math.log(share) - _log_signal(schedule, t)
    neighbour = t - 1 if off > 0 else min(t + 1, schedule.num_train_timesteps - 1)
    half = abs(_log_signal(schedule, neighbour) - _log_signal(schedule, t)) / 2
    return abs(off) <= (max(TOLERANCE, half) if math.isfinite(half) else TOLERANCE)


def _log_signal(schedule: BetasNoiseScheduler, t: float) -> float:
    alpha_bar = schedule.alpha_bar_at(t)
    return 0.5 * math.log(alpha_bar) if alpha_bar > 0 else -math.inf


def format_options(options: Mapping[str, Any]) -> str:
    """Return options as written in a config; empty without options."""
    return f' with {", ".join(f"{name}={value!r}" for name, value in options.items())}' if options else ''
