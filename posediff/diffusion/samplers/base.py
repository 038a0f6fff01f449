"""The interface of samplers, and their common loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from posediff.diffusion.noise import Draws
from posediff.diffusion.noise_schedulers import BetasNoiseScheduler
from posediff.diffusion.timesteps import Pairs, timestep_pairs

Denoise = Callable[[Tensor, int], Tensor]
"""Function of x_t (N, …) and the timestep t that returns the output of the denoiser (N, …)."""


@dataclass(frozen=True)
class Step:
    """The data of a step from t to t_prev.

    Attributes:
        x_t, x_0, epsilon: (N, …), the state and the predictions of the denoiser.
        alpha_bar, alpha_bar_prev: At t and t_prev; the latter is 1 at the last step.
        previous: The previous step, for multistep solvers, without its own ``previous``; None for the first step.
    """

    x_t: Tensor
    x_0: Tensor
    epsilon: Tensor
    alpha_bar: float
    alpha_bar_prev: float
    previous: Step | None = None


class BaseSampler(ABC):
    """A sampler that computes x_0 from x_T ~ N(0, I) in ``num_inference_steps`` denoiser calls.

    If the data are Gaussian and the denoiser is exact, samples over all training steps have the distribution of the
    data. Rows are independent.

    Args:
        spacing: Rule for the timesteps, or their list (:func:`posediff.diffusion.timesteps.timestep_pairs`).
        clip_x_0: Clamp every x_0 estimate to ± this value and recompute epsilon from it (D3DP, DiffusionDet). None: no
            clamping, since poses and scaled heatmaps exceed ±1.
    """

    def __init__(self, spacing: str | Sequence[int] = 'trailing', clip_x_0: float | None = None) -> None:
        if clip_x_0 is not None and clip_x_0 <= 0:
            raise ValueError(f'clip_x_0 must be positive or None, got {clip_x_0}')
        self.spacing = spacing
        self.clip_x_0 = clip_x_0

    def pairs(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> Pairs:
        """Return the steps (t, t_prev); the last t_prev is -1."""
        return timestep_pairs(noise_scheduler.num_train_timesteps, num_inference_steps, self.spacing)

    def default_steps(self, noise_scheduler: BetasNoiseScheduler) -> int:
        """Return the default number of steps: the length of the list of timesteps, else all training steps."""
        return noise_scheduler.num_train_timesteps if isinstance(self.spacing, str) else len(self.spacing)

    def num_draws(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> int:
        """Return the random draws of one run: x_T and, if stochastic, one between consecutive denoiser calls."""
        pairs = self.pairs(noise_scheduler, num_inference_steps)
        return len(pairs) if self.stochastic else 1

    @property
    def stochastic(self) -> bool:
        """Whether noise is added between denoiser calls."""
        return False

    def sample(
        self, denoise: Denoise, noise: Draws, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int
    ) -> Tensor:
        """Run the reverse process.

        Args:
            denoise: ``denoise(x_t, t)`` returns the output of the denoiser, in the shape of x_t and as stated by
                ``noise_scheduler.prediction_type``.
            noise: float (draws, N, …) with draws = :meth:`num_draws`, a tensor or a lazy sequence; ``noise[0]`` is x_T,
                the others are read once each, in order.
            noise_scheduler: The forward process to reverse.
            num_inference_steps: Number of denoiser calls.

        Returns:
            (N, …) x_0.

        Raises:
            ValueError: The number of draws is not :meth:`num_draws`.
        """
        pairs = self.pairs(noise_scheduler, num_inference_steps)
        draws = self.num_draws(noise_scheduler, num_inference_steps)
        if len(noise) != draws:
            raise ValueError(
                f'{type(self).__name__} with {num_inference_steps} steps consumes {draws} random draws '
                f'(noise[0] is x_T), got {len(noise)}'
            )
        x_t, previous = noise[0], None
        for index, (t, t_prev) in enumerate(pairs):
            alpha_bar = noise_scheduler.alpha_bar_at(t)
            x_0, epsilon = noise_scheduler.split(denoise(x_t, t), x_t, t)
            if self.clip_x_0 is not None:
                x_0 = x_0.clamp(-self.clip_x_0, self.clip_x_0)
                epsilon = (x_t - alpha_bar**0.5 * x_0) / (1 - alpha_bar) ** 0.5
            step = Step(x_t, x_0, epsilon, alpha_bar, noise_scheduler.alpha_bar_at(t_prev), previous)
            z = noise[index + 1] if self.stochastic and index + 1 < len(pairs) else None
            x_t = self.step(step, z)
            previous = replace(step, previous=None)
        return x_t

    @abstractmethod
    def step(self, step: Step, z: Tensor | None) -> Tensor:
        """Return x_{t_prev}.

        Args:
            step: The state and the predictions of the denoiser.
            z: (N, …) standard normal noise; None for a deterministic sampler and in the last step.
        """
