"""Adapter of the schedulers of Hugging Face diffusers (optional extra ``diffusers``)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from posediff.diffusion.noise import Draws
from posediff.diffusion.noise_schedulers import BetasNoiseScheduler, GaussianPath
from posediff.diffusion.samplers.base import Denoise
from posediff.diffusion.samplers.diffusers_flow import FLOW_SCHEDULER, DiffusersFlowSampler
from posediff.diffusion.samplers.diffusers_loop import ScheduleError, count_draws, format_options, run_scheduler
from posediff.diffusion.samplers.diffusers_package import import_diffusers
from posediff.registry import SAMPLERS


def resolve(name: str) -> Callable[..., DiffusersSampler | DiffusersFlowSampler] | None:
    """Return the constructor for ``type='diffusers.<Scheduler>'``; None if diffusers has no such class."""
    if name == FLOW_SCHEDULER:
        return DiffusersFlowSampler
    return partial(DiffusersSampler, name) if hasattr(import_diffusers(), name) else None


@SAMPLERS.register_module()
class DiffusersSampler:
    """A sampler that runs a diffusers scheduler with the noise schedule, prediction type and noise of this package.

    Betas and prediction type always come from the noise scheduler of the config. The following choices prevent wrong
    results without an error message: clipping is off by default (diffusers clamps x_0 to ±1); the default spacing is
    ``trailing`` (with ``leading``, a single step starts at t = 0); ``linspace`` with DDIM is an error (diffusers
    computes its previous timestep wrongly); each run creates a new scheduler (multistep solvers have state); and the
    scheduler's random numbers are replaced by the given noise, in order.

    Before the first run, a trial run checks that the scheduler with its options follows the noise schedule
    (:func:`posediff.diffusion.samplers.diffusers_loop.count_draws`). Fractional or repeated timesteps, noise levels
    that are not those of the timesteps (own or modified betas, most Karras, exponential, beta and flow sigmas), a start
    without noise, or an end with noise are errors.

    Args:
        scheduler: Class name in diffusers, e.g. ``'UniPCMultistepScheduler'``.
        **kwargs: Arguments of its constructor except those in :attr:`OWNED`.

    Attributes:
        OWNED: Arguments that come from the noise scheduler and may not be given.

    Raises:
        ValueError: The class is not a scheduler with discrete timesteps, or an argument is not allowed.
        ImportError: diffusers needs another package for this class.
    """

    OWNED = ('num_train_timesteps', 'trained_betas', 'beta_start', 'beta_end', 'beta_schedule', 'prediction_type')

    def __init__(self, scheduler: str, **kwargs: Any) -> None:
        self._class: Any = getattr(import_diffusers(), scheduler, None)
        accepted = inspect.signature(self._class.__init__).parameters if inspect.isclass(self._class) else {}
        if accepted:
            try:
                needed = _needed(getattr(self._class, 'step', None))
            except ImportError as error:  # the class is a placeholder of diffusers
                raise ImportError(
                    f'diffusers.{scheduler} needs another package: {" ".join(str(error).split())}'
                ) from None
            if 'Inverse' in scheduler or not {'trained_betas', 'prediction_type'} <= set(accepted):
                raise ValueError(
                    f'diffusers.{scheduler} has no trained_betas or prediction_type, or adds noise: it '
                    'cannot follow the noise schedule'
                )
            if needed != ['model_output', 'timestep', 'sample']:
                raise ValueError(f'diffusers.{scheduler} is not supported: its step needs {", ".join(needed)}')
        else:
            raise ValueError(f'diffusers.{scheduler} is not a scheduler')
        for name in kwargs:
            if name in self.OWNED:
                raise ValueError(
                    f'diffusers.{scheduler}: {name} comes from the noise scheduler, remove it from the sampler'
                )
            if name not in accepted:
                raise ValueError(f'diffusers.{scheduler} has no argument {name!r}')
        self.given = kwargs
        self._counted: dict[Any, int] = {}
        defaults = {'clip_sample': False, 'thresholding': False, 'timestep_spacing': 'trailing'}
        self.kwargs = {name: value for name, value in defaults.items() if name in accepted} | kwargs
        if scheduler.startswith('DDIM') and self.kwargs.get('timestep_spacing') == 'linspace':
            raise ValueError(f'diffusers.{scheduler} steps to a wrong timestep with linspace spacing: use trailing')

    def default_steps(self, noise_scheduler: BetasNoiseScheduler) -> int:
        """Return the default number of steps: the number of training steps."""
        self._need_table(noise_scheduler)
        return noise_scheduler.num_train_timesteps

    def num_draws(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> int:
        """Return the random draws of one run, including x_T; counted in a trial run, once per schedule.

        Raises:
            ValueError: The scheduler does not follow the noise schedule; the message names the class and its options.
        """
        self._need_table(noise_scheduler)
        key = (tuple(noise_scheduler.beta.tolist()), noise_scheduler.prediction_type, num_inference_steps)
        if key not in self._counted:
            self._counted[key] = self._try_out(noise_scheduler, num_inference_steps)
        return self._counted[key]

    def sample(
        self, denoise: Denoise, noise: Draws, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int
    ) -> Tensor:
        """Run the reverse process; see :meth:`posediff.diffusion.samplers.base.BaseSampler.sample`."""
        draws = self.num_draws(noise_scheduler, num_inference_steps)
        if len(noise) != draws:
            raise ValueError(
                f'diffusers.{self._class.__name__} with {num_inference_steps} steps consumes {draws} random draws '
                f'(noise[0] is x_T), got {len(noise)}'
            )
        scheduler = self._scheduler(noise_scheduler, num_inference_steps)
        rest = (noise[draw] for draw in range(1, draws))
        return run_scheduler(scheduler, denoise, noise[0] * float(scheduler.init_noise_sigma), lambda shape: next(rest))

    def _need_table(self, noise_scheduler: GaussianPath) -> None:
        if noise_scheduler.continuous:
            raise ValueError(
                f'diffusers.{self._class.__name__} follows a table of betas, and the continuous '
                f'{type(noise_scheduler).__name__} has none; use diffusers.FlowMatchEulerDiscreteScheduler'
            )

    def _scheduler(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> Any:
        """Return a new scheduler; its tables are on the CPU, so that reading them does not synchronise."""
        scheduler = self._class(
            num_train_timesteps=noise_scheduler.num_train_timesteps,
            trained_betas=noise_scheduler.beta.tolist(),
            prediction_type=noise_scheduler.prediction_type,
            **self.kwargs,
        )
        scheduler.set_timesteps(num_inference_steps)
        return scheduler

    def _try_out(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> int:
        """Check the scheduler in a trial run and return its number of random draws, including x_T."""
        name, length = self._class.__name__, noise_scheduler.num_train_timesteps
        if name.startswith(('DDIM', 'PNDM')) and length % num_inference_steps:
            raise ValueError(
                f'diffusers.{name} steps by {length} // n: with num_inference_steps={num_inference_steps} it would go '
                f'to wrong timesteps; take a divisor of {length}, or DDIMSampler'
            )
        try:
            scheduler = self._scheduler(noise_scheduler, num_inference_steps)
            calls = len(scheduler.timesteps)
            if calls != num_inference_steps:
                raise ScheduleError(f'makes {calls} denoiser calls for num_inference_steps={num_inference_steps}')
            return count_draws(scheduler, noise_scheduler)
        except Exception as error:  # schedulers raise various errors
            raise ValueError(
                f'diffusers.{name}{format_options(self.given)} cannot be used with this noise schedule in '
                f'{num_inference_steps} steps: it {_reason(error)}'
            ) from error


def _needed(step: Any) -> list[str]:
    """Return the names of the required arguments of a scheduler's ``step``; empty if it is not callable."""
    parameters = inspect.signature(step).parameters if callable(step) else {}
    return [name for name, one in parameters.items() if one.default is inspect.Parameter.empty and name != 'self']


def _reason(error: Exception) -> str:
    """Return what the scheduler did wrong, as a predicate: the message continues ``it …``."""
    if isinstance(error, ScheduleError):
        return str(error)
    return f'fails with {type(error).__name__}: {" ".join(str(error).split())}'
