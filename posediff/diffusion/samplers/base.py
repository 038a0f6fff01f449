"""The loop that every sampler shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from posediff.diffusion.noise import Draws
from posediff.diffusion.noise_schedulers import BetasNoiseScheduler
from posediff.diffusion.timesteps import Pairs, timestep_pairs

Denoise = Callable[[Tensor, int], Tensor]


@dataclass(frozen=True)
class Step:
    """What is known when a sampler goes from t to t_prev.

    Attributes:
        x_t, x_0, epsilon: (N, …) the state and what the denoiser reads in it.
        alpha_bar, alpha_bar_prev: At t and t_prev; the latter is 1 at the last step.
        previous: The step before this one, without its own past (for multistep solvers), or None.
    """

    x_t: Tensor
    x_0: Tensor
    epsilon: Tensor
    alpha_bar: float
    alpha_bar_prev: float
    previous: Step | None = None


class BaseSampler(ABC):
    """Walk from x_T ~ N(0, I) to x_0 in ``num_inference_steps`` denoiser calls.

    With the exact denoiser of a Gaussian and every training step it draws from that Gaussian; rows are independent.

    Args:
        spacing: Rule for the visited timesteps, or their list (:func:`posediff.diffusion.timesteps.timestep_pairs`).
        clip_x_0: Clamp every x_0 estimate to ±this before stepping on and derive epsilon anew from it (D3DP,
            DiffusionDet); None, the
            default, clips nothing: poses and scaled heatmaps exceed ±1.
    """

    def __init__(self, spacing: str | Sequence[int] = 'trailing', clip_x_0: float | None = None) -> None:
        if clip_x_0 is not None and clip_x_0 <= 0:
            raise ValueError(f'clip_x_0 must be positive or None, got {clip_x_0}')
        self.spacing = spacing
        self.clip_x_0 = clip_x_0

    def pairs(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> Pairs:
        """The (t, t_prev) that will be walked, ending at t_prev = -1."""
        return timestep_pairs(noise_scheduler.num_train_timesteps, num_inference_steps, self.spacing)

    def default_steps(self, noise_scheduler: BetasNoiseScheduler) -> int:
        """num_inference_steps when none is asked for: the explicit list's length, else every training step."""
        return noise_scheduler.num_train_timesteps if isinstance(self.spacing, str) else len(self.spacing)

    def num_draws(self, noise_scheduler: BetasNoiseScheduler, num_inference_steps: int) -> int:
        """Random draws that one run consumes: x_T and, if stochastic, one between any two denoiser calls."""
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
            denoise: ``denoise(x_t, t)`` → raw output of x_t's shape, as ``noise_scheduler.prediction_type`` says.
            noise: float (draws, N, …) with draws = :meth:`num_draws`, a tensor or what makes ``noise[k]`` when it is
                read; ``noise[0]`` is x_T, the others are read once each, in order.
            noise_scheduler: The forward process to reverse.
            num_inference_steps: Number of denoiser calls.

        Returns:
            (N, …) x_0.

        Raises:
            ValueError: The number of draws is not the one that this sampler consumes.
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
            previous = Step(x_t, x_0, epsilon, alpha_bar, step.alpha_bar_prev)
        return x_t

    @abstractmethod
    def step(self, step: Step, z: Tensor | None) -> Tensor:
        """Go from x_t to x_{t_prev}.

        Args:
            step: The state and the denoiser's reading of it.
            z: (N, …) standard normal draw; None when the sampler is deterministic and at the last step.
        """
