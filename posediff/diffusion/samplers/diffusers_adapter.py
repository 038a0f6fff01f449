"""Any scheduler of Hugging Face diffusers as a sampler (optional extra ``diffusers``)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from posediff.diffusion.noise import Draws
from posediff.diffusion.noise_schedulers import BetasNoiseScheduler
from posediff.diffusion.samplers.base import Denoise
from posediff.diffusion.samplers.diffusers_loop import ScheduleError, count_draws, format_options, run_scheduler
from posediff.registry import SAMPLERS


def resolve(name: str) -> Callable[..., DiffusersSampler] | None:
    """Look up ``type='diffusers.<Scheduler>'`` in ``SAMPLERS``: a constructor, or None if there is none."""
    return partial(DiffusersSampler, name) if hasattr(_diffusers(), name) else None


def _diffusers() -> Any:
    try:
        import diffusers
    except ImportError as error:
        if not (isinstance(error, ModuleNotFoundError) and error.name == 'diffusers'):
            raise ImportError(f'the package diffusers is installed but cannot be imported: {error}') from error
        raise ImportError(
            "a 'diffusers.…' sampler needs the package diffusers: pip install 'posediff[diffusers]'"
        ) from error
    return diffusers


@SAMPLERS.register_module()
class DiffusersSampler:
    """Drive a diffusers scheduler with our noise schedule, prediction type and noise.

    Betas and prediction type always come from the noise scheduler of the config. What would go wrong unnoticed is
    closed: clipping is off unless asked for (diffusers clamps x_0 to ±1), spacing is ``trailing`` (its ``leading``
    starts one step at t = 0), ``linspace`` with DDIM is refused (its previous step is wrong there), every run gets a
    scheduler of its own (multistep solvers keep state), and the scheduler's random draws are ours, in order.

    Whether a scheduler and its options keep to the noise schedule is tried out before the first run
    (:func:`posediff.diffusion.samplers.diffusers_loop.count_draws`). A walk with timesteps that are fractional or
    repeated, at noise levels that are not those of its timesteps (betas of its own or changed, most Karras,
    exponential, beta and flow sigmas), from a start without noise, or to an end with noise is refused.

    Args:
        scheduler: Class name in diffusers, e.g. ``'UniPCMultistepScheduler'``.
        **kwargs: Its constructor arguments but for the schedule itself.

    Raises:
        ValueError: The class is no scheduler of discrete timesteps, or an argument is refused.
        ImportError: diffusers itself misses a package for this class.
    """

    OWNED = ('num_train_timesteps', 'trained_betas', 'beta_start', 'beta_end', 'beta_schedule', 'prediction_type')

    def __init__(self, scheduler: str, **kwargs: Any) -> None:
        self._class: Any = getattr(_diffusers(), scheduler, None)
        accepted = inspect.signature(self._class.__init__).parameters if inspect.isclass(self._class) else {}
        if accepted:
            try:
                needed = _needed(getattr(self._class, 'step', None))
            except ImportError as error:  # a stand-in of theirs
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
        """num_inference_steps when none is asked for: every training step."""
        return noise_scheduler.num_train_timesteps

    def num_draws(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> int:
        """Draws that one run consumes, x_T included: counted in a run on trial, once for a schedule.

        Raises:
            ValueError: The walk does not keep to the schedule; the message names the class, its options and the place.
        """
        key = (tuple(noise_scheduler.beta.tolist()), noise_scheduler.prediction_type, num_inference_steps)
        if key not in self._counted:
            self._counted[key] = self._try_out(noise_scheduler, num_inference_steps)
        return self._counted[key]

    def sample(
        self, denoise: Denoise, noise: Draws, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int
    ) -> Tensor:
        """As :meth:`posediff.diffusion.samplers.base.BaseSampler.sample`."""
        draws = self.num_draws(noise_scheduler, num_inference_steps)
        if len(noise) != draws:
            raise ValueError(
                f'diffusers.{self._class.__name__} with {num_inference_steps} steps consumes {draws} random draws '
                f'(noise[0] is x_T), got {len(noise)}'
            )
        scheduler = self._scheduler(noise_scheduler, num_inference_steps)
        rest = (noise[draw] for draw in range(1, draws))
        return run_scheduler(scheduler, denoise, noise[0] * float(scheduler.init_noise_sigma), lambda shape: next(rest))

    def _scheduler(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> Any:
        """A new one. Its tables and timesteps stay on the CPU, where they are read without waiting for a device."""
        scheduler = self._class(
            num_train_timesteps=noise_scheduler.num_train_timesteps,
            trained_betas=noise_scheduler.beta.tolist(),
            prediction_type=noise_scheduler.prediction_type,
            **self.kwargs,
        )
        scheduler.set_timesteps(num_inference_steps)
        return scheduler

    def _try_out(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> int:
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
        except Exception as error:  # whatever they raise, it is this walk that does not work
            raise ValueError(
                f'diffusers.{name}{format_options(self.given)} cannot be used with this noise schedule in '
                f'{num_inference_steps} steps: it {_reason(error)}'
            ) from error


def _needed(step: Any) -> list[str]:
    """Arguments that a step cannot do without."""
    parameters = inspect.signature(step).parameters if callable(step) else {}
    return [name for name, one in parameters.items() if one.default is inspect.Parameter.empty and name != 'self']


def _reason(error: Exception) -> str:
    if isinstance(error, ScheduleError):
        return str(error)
    return f'fails with {type(error).__name__}: {" ".join(str(error).split())}'
