"""Adapter of the flow-matching scheduler of Hugging Face diffusers (optional extra ``diffusers``)."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from posediff.diffusion.noise import Draws
from posediff.diffusion.noise_schedulers import GaussianPath, LinearPath
from posediff.diffusion.samplers.base import BaseSampler, Denoise, Step
from posediff.diffusion.samplers.diffusers_loop import OwnNoise, ScheduleError, format_options
from posediff.diffusion.samplers.diffusers_package import import_diffusers
from posediff.diffusion.timesteps import Pairs
from posediff.registry import SAMPLERS

FLOW_SCHEDULER = 'FlowMatchEulerDiscreteScheduler'
ROUNDING = 1e-6  # of float32 grids


@SAMPLERS.register_module()
class DiffusersFlowSampler(BaseSampler):
    """A sampler that runs diffusers' ``FlowMatchEulerDiscreteScheduler`` on the linear path.

    diffusers counts sigma = 1 - t, from 1 (noise) to 0, and its model output is epsilon - x_0, the opposite of the
    velocity here. Its own grid for 3 steps is sigma = 1, 0.5005, 0.001; here, the scheduler is given the grid of
    ``spacing``, by default 1, 2/3, 1/3, which its options may change (``shift``, ``use_karras_sigmas`` …). A grid that
    does not fall from 1 to 0 is an error.

    Args:
        spacing: See :class:`BaseSampler`.
        **kwargs: Arguments of the constructor of the scheduler, except ``num_train_timesteps``, which would only be the
            unit of its times.

    Raises:
        ValueError: The scheduler has no such argument.
        ImportError: diffusers is not installed.
    """

    def __init__(self, spacing: str | Sequence[float] | None = None, **kwargs: Any) -> None:
        super().__init__(spacing)
        self._class = getattr(import_diffusers(), FLOW_SCHEDULER)
        accepted = inspect.signature(self._class.__init__).parameters
        for name in kwargs:
            if name == 'num_train_timesteps' or name not in accepted:
                raise ValueError(f'diffusers.{FLOW_SCHEDULER} takes no argument {name!r} here')
        self.kwargs = kwargs

    @property
    def keeps_spread(self) -> bool:  # type: ignore[override]
        """False with ``stochastic_sampling``; see :class:`StochasticFlowSampler`."""
        return not self.stochastic

    @property
    def stochastic(self) -> bool:
        return bool(self.kwargs.get('stochastic_sampling'))

    def pairs(self, noise_scheduler: GaussianPath, num_inference_steps: int) -> Pairs:
        """Return the steps (t, t_prev) of the scheduler's grid."""
        if not isinstance(noise_scheduler, LinearPath):
            raise ValueError(
                f'diffusers.{FLOW_SCHEDULER} follows the linear path, not {type(noise_scheduler).__name__}; use '
                "noise_scheduler type 'LinearPath'"
            )
        sigmas = self._scheduler(noise_scheduler, num_inference_steps).sigmas.double().tolist()
        times = [max(1 - sigma, 0.0) for sigma in sigmas]  # the first one may be 1 + ROUNDING
        return list(zip(times[:-1], times[1:], strict=True))

    def default_steps(self, noise_scheduler: GaussianPath) -> int:
        if not isinstance(noise_scheduler, LinearPath):
            self.pairs(noise_scheduler, 1)
        return super().default_steps(noise_scheduler)

    def _scheduler(self, path: GaussianPath, num_inference_steps: int) -> Any:
        """Return a new scheduler with its grid, on the CPU, so that reading it does not synchronise."""
        given = [1 - t for t, _ in self.walk(path, num_inference_steps)]
        try:
            scheduler = self._class(**self.kwargs)
            scheduler.set_timesteps(sigmas=given)
            sigmas = scheduler.sigmas.tolist()
            falling = all(sigma > after for sigma, after in zip(sigmas, sigmas[1:], strict=False))
            if not (falling and abs(sigmas[0] - 1) < ROUNDING and sigmas[-1] == 0.0):
                shown = ', '.join(f'{sigma:.4g}' for sigma in sigmas)
                raise ScheduleError(f'has the grid {shown}, which does not fall from 1 to 0')
        except Exception as error:  # diffusers raises various errors
            said = str(error) if isinstance(error, ScheduleError) else f'fails with {type(error).__name__}: {error}'
            raise ValueError(
                f'diffusers.{FLOW_SCHEDULER}{format_options(self.kwargs)} cannot be used in {num_inference_steps} '
                f'steps: it {" ".join(said.split())}'
            ) from error
        return scheduler

    def _run(self, denoise: Denoise, noise: Draws, path: GaussianPath, pairs: Pairs) -> Tensor:
        scheduler = self._scheduler(path, len(pairs))
        rest = (noise[draw] for draw in range(1, len(noise)))

        def draw(shape: tuple[int, ...]) -> Tensor:
            return next(rest, torch.zeros((), device=x_t.device))  # the last step adds its noise with factor 0

        x_t = noise[0]
        for (t, _), timestep in zip(pairs, scheduler.timesteps, strict=True):
            output = denoise(x_t, t).to(x_t.dtype)
            if path.prediction_type == 'velocity':
                reverse = -output
            else:
                x_0, epsilon = path.split(output, x_t, t)
                reverse = epsilon - x_0
            with OwnNoise(draw):
                x_t = scheduler.step(reverse, timestep, x_t).prev_sample
        return x_t

    def step(self, step: Step, z: Tensor | None) -> Tensor:
        raise NotImplementedError('the scheduler of diffusers makes the steps')
