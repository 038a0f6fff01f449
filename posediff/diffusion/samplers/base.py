"""The interface of samplers, and their common loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from posediff.diffusion.noise import Draws
from posediff.diffusion.noise_schedulers import GaussianPath
from posediff.diffusion.timesteps import Pairs, shifted_pairs
from posediff.structures.argument_checks import require_finite

Denoise = Callable[[Tensor, float], Tensor]
"""Function of x_t (N, …) and the time t that returns the output of the denoiser (N, …)."""


@dataclass(frozen=True)
class Step:
    """The data of a step from t to t_prev, which has less noise.

    Attributes:
        x_t, x_0, epsilon: (N, …), the state and the predictions of the denoiser: x_t = signal·x_0 + noise·epsilon.
        signal, noise: Scales of the path at t. The signal may be 0 in the first step.
        signal_prev, noise_prev: Those at t_prev; 1 and 0 in the last step.
        previous: The previous step, for multistep solvers, without its own ``previous``; None for the first step.
    """

    x_t: Tensor
    x_0: Tensor
    epsilon: Tensor
    signal: float
    noise: float
    signal_prev: float
    noise_prev: float
    previous: Step | None = None

    @property
    def alpha_bar(self) -> float:
        """signal², on variance-preserving paths."""
        return _alpha_bar(self.signal, self.noise)

    @property
    def alpha_bar_prev(self) -> float:
        """signal_prev², on variance-preserving paths."""
        return _alpha_bar(self.signal_prev, self.noise_prev)

    @property
    def added_variance(self) -> float:
        """Variance that the forward process adds from t_prev to t: beta of the coarser chain if it preserves variance.

        q(x_t | x_{t_prev}) = N(signal / signal_prev · x_{t_prev}, added_variance).
        """
        return self.noise**2 - (self.signal / self.signal_prev * self.noise_prev) ** 2


def _alpha_bar(signal: float, noise: float) -> float:
    if abs(signal**2 + noise**2 - 1) > 1e-9:
        raise ValueError(f'a path with signal {signal:g} and noise {noise:g} has no alpha_bar; use signal and noise')
    return signal**2


class BaseSampler(ABC):
    """A sampler that computes x_0 from x_T ~ N(0, I) in ``num_inference_steps`` denoiser calls, on any Gaussian path.

    If the data are Gaussian and the denoiser is exact, samples over all training steps have the distribution of the
    data. Rows are independent.

    Args:
        spacing: Rule for the times, or their list (:mod:`posediff.diffusion.timesteps`). None: the path's default,
            ``'trailing'`` on tables and ``'uniform'`` on continuous paths.
        clip_x_0: Clamp every x_0 estimate to ± this value and recompute epsilon from it (D3DP, DiffusionDet). None: no
            clamping, since poses and scaled heatmaps exceed ±1.
        shift: Factor on noise / signal at all visited times but the first
            (:func:`posediff.diffusion.timesteps.shifted_pairs`); below 1, more calls are spent near the clean signal.

    Attributes:
        calls_per_step: Denoiser calls of a step.
        keeps_spread: Whether the spread of the samples is that of the data, for an exact denoiser and many steps.
    """

    calls_per_step: ClassVar[int] = 1
    keeps_spread: ClassVar[bool] = True

    def __init__(
        self,
        spacing: str | Sequence[float] | None = None,
        clip_x_0: float | None = None,
        shift: float = 1.0,
    ) -> None:
        if clip_x_0 is not None and clip_x_0 <= 0:
            raise ValueError(f'clip_x_0 must be positive or None, got {clip_x_0}')
        require_finite(type(self).__name__, {'shift': shift})
        if shift <= 0:
            raise ValueError(f'shift must be positive, got {shift}; 1 is no shift')
        self.spacing = spacing
        self.clip_x_0 = clip_x_0
        self.shift = shift

    def pairs(self, noise_scheduler: GaussianPath, num_inference_steps: int) -> Pairs:
        """Return the steps (t, t_prev); the last t_prev is the clean signal."""
        return self.walk(noise_scheduler, num_inference_steps)

    def walk(self, noise_scheduler: GaussianPath, num_steps: int) -> Pairs:
        """Return ``num_steps`` steps by the rule ``spacing``, shifted by ``shift``."""
        return shifted_pairs(noise_scheduler.walk(num_steps, self.spacing), noise_scheduler, self.shift)

    def default_steps(self, noise_scheduler: GaussianPath) -> int:
        """Return the default number of denoiser calls: one per time of the list of times.

        Without a list: all steps of a table, or ``default_inference_steps`` of a continuous path.
        """
        return self.num_listed or noise_scheduler.default_inference_steps

    @property
    def num_listed(self) -> int | None:
        """Length of the list of times; None without a list."""
        return None if self.spacing is None or isinstance(self.spacing, str) else len(self.spacing)

    def num_draws(self, noise_scheduler: GaussianPath, num_inference_steps: int) -> int:
        """Return the random draws of one run: x_T and, if stochastic, one between consecutive denoiser calls."""
        pairs = self.pairs(noise_scheduler, num_inference_steps)
        return len(pairs) if self.stochastic else 1

    @property
    def stochastic(self) -> bool:
        """Whether noise is added between denoiser calls."""
        return False

    def sample(self, denoise: Denoise, noise: Draws, noise_scheduler: GaussianPath, num_inference_steps: int) -> Tensor:
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
        return self._run(denoise, noise, noise_scheduler, pairs)

    def _run(self, denoise: Denoise, noise: Draws, path: GaussianPath, pairs: Pairs) -> Tensor:
        x_t, previous = noise[0], None
        for index, (t, t_prev) in enumerate(pairs):
            x_0, epsilon = self.predict(denoise, path, x_t, t)
            now, then = path.level(t), path.level(t_prev)
            step = Step(x_t, x_0, epsilon, now.signal, now.noise, then.signal, then.noise, previous)
            z = noise[index + 1] if self.stochastic and index + 1 < len(pairs) else None
            x_t = self.step(step, z)
            previous = replace(step, previous=None)
        return x_t

    def predict(self, denoise: Denoise, path: GaussianPath, x_t: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """Call the denoiser and return (x_0, epsilon), clipped if ``clip_x_0`` is set."""
        x_0, epsilon = path.split(denoise(x_t, t), x_t, t)
        if self.clip_x_0 is not None:
            level = path.level(t)
            x_0 = x_0.clamp(-self.clip_x_0, self.clip_x_0)
            epsilon = (x_t - level.signal * x_0) / level.noise
        return x_0, epsilon

    @abstractmethod
    def step(self, step: Step, z: Tensor | None) -> Tensor:
        """Return x_{t_prev}.

        Args:
            step: The state and the predictions of the denoiser.
            z: (N, …) standard normal noise; None for a deterministic sampler and in the last step.
        """
