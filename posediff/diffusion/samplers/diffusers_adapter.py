"""Any scheduler of Hugging Face diffusers as a sampler (optional extra ``diffusers``)."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import BetasNoiseScheduler
from posediff.diffusion.samplers.base import Denoise
from posediff.registry import SAMPLERS


def resolve(name: str) -> Callable[..., DiffusersSampler] | None:
    """Look up ``type='diffusers.<Scheduler>'`` in ``SAMPLERS``: a constructor, or None if there is none."""
    return partial(DiffusersSampler, name) if hasattr(_diffusers(), name) else None


def _diffusers() -> Any:
    try:
        import diffusers
    except ImportError as error:
        if not (isinstance(error, ModuleNotFoundError) and error.name == 'diffusers'):
            raise ImportError(f'the package diffusers is installed and does not import: {error}') from error
        raise ImportError(
            "a 'diffusers.…' sampler needs the optional extra: pip install 'posediff[diffusers]' "
        ) from error
    return diffusers


@SAMPLERS.register_module()
class DiffusersSampler:
    """Drive a diffusers scheduler with our noise schedule, prediction type and noise.

    Betas and prediction type always come from the noise scheduler of the config. What would go wrong unnoticed is
    closed: clipping is off unless asked for (diffusers clamps x_0 to ±1), spacing is ``trailing`` (its ``leading``
    starts one step at t = 0), ``linspace`` with DDIM is refused (its previous step is wrong there), fractional
    timesteps are refused, every run gets a scheduler of its own (multistep solvers keep state), and the scheduler's
    random draws are ours, in order.

    Args:
        scheduler: Class name in diffusers, e.g. ``'UniPCMultistepScheduler'``.
        **kwargs: Its constructor arguments but for the schedule itself.

    Raises:
        ValueError: The class is no scheduler of discrete timesteps, or an argument is refused.
    """

    OWNED = ('num_train_timesteps', 'trained_betas', 'beta_start', 'beta_end', 'beta_schedule', 'prediction_type')

    def __init__(self, scheduler: str, **kwargs: Any) -> None:
        self._class: Any = getattr(_diffusers(), scheduler, None)
        accepted = inspect.signature(self._class.__init__).parameters if inspect.isclass(self._class) else {}
        if 'Inverse' in scheduler or not {'trained_betas', 'prediction_type'} <= set(accepted):
            raise ValueError(
                f'diffusers.{scheduler} takes no trained_betas or prediction_type, or runs forwards: '
                'it cannot follow a schedule'
            )
        for name in kwargs:
            if name in self.OWNED:
                raise ValueError(
                    f'diffusers.{scheduler}: {name} comes from the noise scheduler, remove it from the sampler'
                )
            if name not in accepted:
                raise ValueError(f'diffusers.{scheduler} has no argument {name!r}')
        defaults = {'clip_sample': False, 'thresholding': False, 'timestep_spacing': 'trailing'}
        self.kwargs = {name: value for name, value in defaults.items() if name in accepted} | kwargs
        if scheduler.startswith('DDIM') and self.kwargs.get('timestep_spacing') == 'linspace':
            raise ValueError('diffusers.DDIMScheduler steps to a wrong timestep with linspace spacing: use trailing')

    def default_steps(self, noise_scheduler: BetasNoiseScheduler) -> int:
        """num_inference_steps when none is asked for: every training step."""
        return noise_scheduler.num_train_timesteps

    def num_draws(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> int:
        """Draws that one run consumes, x_T included: counted in a run on a single number."""
        drawn: list[Tensor] = []

        def count(like: Tensor) -> Tensor:
            drawn.append(like)
            return torch.zeros_like(like)

        self._run(lambda x_t, _: torch.zeros_like(x_t), torch.zeros(1, 1), count, noise_scheduler, num_inference_steps)
        return 1 + len(drawn)

    def sample(
        self, denoise: Denoise, noise: Tensor, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int
    ) -> Tensor:
        """As :meth:`posediff.diffusion.samplers.base.BaseSampler.sample`."""
        draws = self.num_draws(noise_scheduler, num_inference_steps)
        if len(noise) != draws:
            raise ValueError(
                f'diffusers.{self._class.__name__} with {num_inference_steps} steps consumes {draws} random draws '
                f'(noise[0] is x_T), got noise of shape {tuple(noise.shape)}'
            )
        rest = iter(noise[1:])
        return self._run(denoise, noise[0], lambda _: next(rest), noise_scheduler, num_inference_steps)

    @classmethod
    def contract_cases(cls) -> list[dict[str, Any]]:
        """A scheduler of theirs that draws nothing, and one that draws at every step."""
        return [{'scheduler': 'DDIMScheduler'}, {'scheduler': 'DDPMScheduler'}]

    def _check_walk(self, scheduler: Any, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> None:
        """Refuse walks that diffusers itself gets wrong, or that cost other than one denoiser call a step."""
        name, length = self._class.__name__, noise_scheduler.num_train_timesteps
        if name.startswith(('DDIM', 'PNDM')) and length % num_inference_steps:
            raise ValueError(
                f'diffusers.{name} steps by {length} // n: with num_inference_steps={num_inference_steps} it would go '
                f'to wrong timesteps; take a divisor of {length}, or DDIMSampler'
            )
        calls = len(scheduler.timesteps)
        if calls != num_inference_steps:
            raise ValueError(
                f'diffusers.{name} makes {calls} denoiser calls for num_inference_steps={num_inference_steps}'
            )

    def _run(
        self,
        denoise: Denoise,
        x_T: Tensor,
        draw: Callable[[Tensor], Tensor],
        noise_scheduler: BetasNoiseScheduler,
        num_inference_steps: int,
    ) -> Tensor:
        scheduler = self._class(
            num_train_timesteps=noise_scheduler.num_train_timesteps,
            trained_betas=noise_scheduler.beta.tolist(),
            prediction_type=noise_scheduler.prediction_type,
            **self.kwargs,
        )
        scheduler.set_timesteps(num_inference_steps, device=x_T.device)
        self._check_walk(scheduler, noise_scheduler, num_inference_steps)
        x_t = x_T * float(scheduler.init_noise_sigma)
        with _own_noise(self._class, draw):
            for timestep in scheduler.timesteps:
                t = float(timestep)
                if t != int(t):
                    raise ValueError(
                        f'diffusers.{self._class.__name__} visits the fractional timestep {t}: change its spacing'
                    )
                output = denoise(scheduler.scale_model_input(x_t, timestep), int(t))
                x_t = scheduler.step(output.to(x_t.dtype), timestep, x_t).prev_sample
        return x_t


@contextmanager
def _own_noise(scheduler_class: type, draw: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Let the scheduler's module take its random tensors from ``draw`` for a while."""
    module = sys.modules[scheduler_class.__module__]
    original = getattr(module, 'randn_tensor', None)

    def ours(shape: Any, *args: Any, device: Any = None, dtype: Any = None, **kwargs: Any) -> Tensor:
        return draw(torch.empty(tuple(shape), device=device, dtype=dtype))

    if original is None:
        yield
        return
    try:
        module.randn_tensor = ours  # type: ignore[attr-defined]
        yield
    finally:
        module.randn_tensor = original  # type: ignore[attr-defined]
