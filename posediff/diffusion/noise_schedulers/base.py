"""The interface of all forward processes: x_t = signal(t)·x_0 + noise(t)·epsilon."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from posediff.diffusion.prediction import (
    PREDICTION_TYPES,
    Level,
    from_x_0_and_epsilon,
    rows_of,
    to_x_0_and_epsilon,
)
from posediff.diffusion.timesteps import Pairs
from posediff.structures.argument_checks import require_one_of

LOG_SNR_LIMIT = 20.0  # of the log-SNR as input of a network: at the ends of a path it is infinite

TimeOrTimes = TypeVar('TimeOrTimes', float, Tensor)


class GaussianPath(ABC):
    """A forward process x_t = signal(t)·x_0 + noise(t)·epsilon, epsilon ~ N(0, I).

    Samplers and losses use only the two scales; direction and unit of t are those of the path. Arithmetic on states is
    at least float32, also under autocast.

    Args:
        prediction_type: Output of the denoiser, one of :data:`posediff.diffusion.prediction.PREDICTION_TYPES`.
        time_input: The denoiser's input for the time: one of :attr:`time_inputs`. None: the path's own t.
            ``'index'``: int64 index of a table. ``'time'``: from 0 (noise) to 1 (clean). ``'log_snr'``:
            log(signal² / noise²), limited to ±20 (as in VDM; Kingma et al. 2021). ``'sigma_1000'``:
            1000·noise / (signal + noise), from 1000 (noise) to 0 (clean), the times of diffusers' flow schedulers, for
            step embeddings that expect 0 to 1000.

    Attributes:
        continuous: Whether t is real (float32 tensors) or the index of a table (int64 tensors).
        spacing: The default rule for the times that a sampler visits.
        default_inference_steps: Denoiser calls of a sampler without a given number.
        start, clean: Times of the most noise and of the clean signal: sampling goes from the first to the second.
        time_inputs: Names of the inputs; the first one is the path's own t.
        prediction_types: Prediction types that the path has.

    Raises:
        ValueError: The prediction type or the time input is unknown, or the denoiser's output could not be read
            somewhere on the path.
    """

    continuous: ClassVar[bool]
    spacing: ClassVar[str]
    default_inference_steps: int
    start: float
    clean: float
    time_inputs: ClassVar[tuple[str, ...]]
    prediction_types: ClassVar[tuple[str, ...]] = PREDICTION_TYPES

    def __init__(self, prediction_type: str, time_input: str | None = None) -> None:
        name = type(self).__name__
        require_one_of(name, 'prediction_type', prediction_type, PREDICTION_TYPES)
        self.prediction_type = prediction_type
        self.time_input = self.time_inputs[0] if time_input is None else time_input
        require_one_of(name, 'time_input', self.time_input, self.time_inputs)
        if prediction_type == 'epsilon' and self.level(self.start).signal == 0:
            others = ', '.join(repr(other) for other in self.prediction_types if other != 'epsilon')
            raise ValueError(
                f"{name}: prediction_type 'epsilon' cannot be read where the signal-to-noise ratio is 0, and the path "
                f'starts there (t = {self.start:g}); use one of {others}'
            )
        if prediction_type == 'velocity' and not self.continuous:
            raise ValueError(
                f"{name}: prediction_type 'velocity' is dx/dt, which a table of discrete steps does not have; use "
                "'v_prediction', or a continuous path such as LinearPath"
            )
        require_one_of(name, 'prediction_type', prediction_type, self.prediction_types)

    @property
    def time_dtype(self) -> torch.dtype:
        """The dtype of tensors of times."""
        return torch.float32 if self.continuous else torch.int64

    @abstractmethod
    def level(self, t: float) -> Level[float]:
        """Return the scales at one time as numbers; at ``clean``, signal is 1 and noise is 0.

        Raises:
            ValueError: The time is outside the path, or between the steps of a table.
        """

    @abstractmethod
    def levels(self, timestep: Tensor) -> Level[Tensor]:
        """Return the scales at times (N,) or (1,) as float32 tensors of that shape, on their device.

        Raises:
            ValueError: The dtype of the times is not one of the path, or a time on the CPU is outside the path.
        """

    @abstractmethod
    def time_at(self, sigma: float) -> float:
        """Return the time with noise / (signal + noise) = ``sigma``; on a table, the nearest step."""

    @abstractmethod
    def times_at(self, half_log_snr: Tensor) -> Tensor:
        """Return the times (N,) with log(signal / noise) = ``half_log_snr`` (N,); on a table, the nearest steps."""

    @abstractmethod
    def draw_timesteps(self, num_rows: int, device: torch.device, generator: torch.Generator | None = None) -> Tensor:
        """Draw uniform times (N,) for training."""

    @abstractmethod
    def walk(self, num_steps: int, spacing: str | Sequence[float] | None = None) -> Pairs:
        """Return the steps (t, t_prev) of a sampler from noise to ``clean``; see :mod:`posediff.diffusion.timesteps`.

        Args:
            num_steps: Number of steps.
            spacing: Rule for the times, or their list. None: :attr:`spacing`.

        Raises:
            ValueError: The rule does not exist on this path, or the times do not lead from noise to the clean signal.
        """

    def signal(self, t: TimeOrTimes) -> TimeOrTimes:
        """Return the scale of x_0 at a time (number), or at times (tensor; float32 of the same shape)."""
        return self.levels(t).signal if isinstance(t, Tensor) else self.level(t).signal

    def noise(self, t: TimeOrTimes) -> TimeOrTimes:
        """Return the scale of epsilon at a time (number), or at times (tensor; float32 of the same shape)."""
        return self.levels(t).noise if isinstance(t, Tensor) else self.level(t).noise

    def sigma(self, t: float) -> float:
        """Return noise / (signal + noise) at a time: 1 is pure noise, 0 clean; 1 - t on the linear path."""
        level = self.level(t)
        return level.noise / (level.signal + level.noise)

    def as_tensor(self, t: float, device: torch.device) -> Tensor:
        """Return one time as a tensor (1,) on a device, in the dtype of the path."""
        self.level(t)  # an error for a time that the dtype would change
        return torch.full((1,), t, dtype=self.time_dtype, device=device)

    def network_time(self, timestep: Tensor) -> Tensor:
        """Return the denoiser's input for times (N,) or (1,), as ``time_input`` says."""
        return self._tell[self.time_input](timestep)

    def add_noise(self, x_0: Tensor, epsilon: Tensor, timestep: Tensor) -> Tensor:
        """Return x_t = signal(t)·x_0 + noise(t)·epsilon.

        Args:
            x_0: (N, …) clean signal.
            epsilon: (N, …) standard normal noise.
            timestep: Times (N,) or (1,): int64 on a table, float on a continuous path.

        Returns:
            (N, …) x_t.
        """
        level = rows_of(self.levels(timestep), x_0)
        return level.signal * x_0 + level.noise * epsilon

    def target(self, x_0: Tensor, epsilon: Tensor, timestep: Tensor) -> Tensor:
        """Return the training target of the denoiser at ``timestep``; the shapes are those of :meth:`add_noise`."""
        return from_x_0_and_epsilon(self.prediction_type, x_0, epsilon, rows_of(self.levels(timestep), x_0))

    def split(self, output: Tensor, x_t: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """Convert a denoiser output at time ``t`` to (x_0, epsilon), both in the shape of x_t."""
        return to_x_0_and_epsilon(self.prediction_type, output, x_t, self.level(t))

    def estimate(self, output: Tensor, x_t: Tensor, timestep: Tensor) -> Tensor:
        """Return the x_0 that a denoiser output means; the shapes are those of :meth:`add_noise`."""
        return to_x_0_and_epsilon(self.prediction_type, output, x_t, rows_of(self.levels(timestep), x_t))[0]

    @property
    def _tell(self) -> dict[str, Callable[[Tensor], Tensor]]:
        return {
            'index': lambda timestep: timestep,
            'time': self._time,
            'log_snr': self._log_snr,
            'sigma_1000': self._sigma_1000,
        }

    def _time(self, timestep: Tensor) -> Tensor:
        return timestep

    def _log_snr(self, timestep: Tensor) -> Tensor:
        log_ratio = self.signal(timestep).log() - self.noise(timestep).log()
        return (2 * log_ratio).clamp(-LOG_SNR_LIMIT, LOG_SNR_LIMIT)

    def _sigma_1000(self, timestep: Tensor) -> Tensor:
        noise = self.noise(timestep)
        return 1000 * noise / (self.signal(timestep) + noise)
