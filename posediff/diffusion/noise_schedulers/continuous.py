"""Paths in continuous time: t in [0, 1], 0 = pure noise, 1 = the clean signal."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers.base import GaussianPath
from posediff.diffusion.prediction import Level
from posediff.diffusion.timesteps import Pairs, time_pairs
from posediff.registry import NOISE_SCHEDULERS

LAST = 1 - 2**-24  # largest float32 below 1: training never draws the clean signal


class ContinuousPath(GaussianPath):
    """A path with signal 0 at t = 0, noise 0 at t = 1, and derivatives: the direction of time of flow matching.

    Args:
        prediction_type: ``'sample'`` (x_0), ``'v_prediction'`` or ``'velocity'`` (dx/dt). Epsilon cannot be read at
            t = 0.
        time_input: ``'time'`` (float32 t), ``'log_snr'`` or ``'sigma_1000'``; see :class:`GaussianPath`.
    """

    continuous = True
    spacing = 'uniform'
    default_inference_steps = 50
    start = 0.0
    clean = 1.0
    time_inputs = ('time', 'log_snr', 'sigma_1000')
    prediction_types = ('sample', 'v_prediction', 'velocity')

    def __init__(self, prediction_type: str = 'velocity', time_input: str = 'time') -> None:
        super().__init__(prediction_type, time_input)

    @abstractmethod
    def _scales_at(self, t: float) -> Level[float]:
        """Return the scales and their derivatives at one time in [0, 1]."""

    @abstractmethod
    def _scales(self, t: Tensor) -> Level[Tensor]:
        """Return the scales and their derivatives at times."""

    def level(self, t: float) -> Level[float]:
        if not 0 <= t <= 1:
            raise ValueError(f'time {t} is outside [0, 1] of {type(self).__name__}')
        return self._scales_at(t)

    def levels(self, timestep: Tensor) -> Level[Tensor]:
        if not timestep.dtype.is_floating_point:
            raise ValueError(f'{type(self).__name__} takes real times in [0, 1], got {timestep.dtype}')
        if timestep.dtype.itemsize < torch.float32.itemsize:
            raise ValueError(
                f'{type(self).__name__} takes times of at least float32, got {timestep.dtype}, which has rounded them'
            )
        if timestep.device.type == 'cpu' and timestep.numel():  # on an accelerator, reading them would wait
            least, most = float(timestep.min()), float(timestep.max())
            if least < 0 or most > 1:
                wrong = least if least < 0 else most
                raise ValueError(f'time {wrong:g} is outside [0, 1] of {type(self).__name__}')
        return self._scales(timestep.float())

    def draw_timesteps(self, num_rows: int, device: torch.device, generator: torch.Generator | None = None) -> Tensor:
        """Draw uniform times in [0, 1) for training, float32 (N,)."""
        return torch.rand(num_rows, device=device, generator=generator)

    def walk(self, num_steps: int, spacing: str | Sequence[float] | None = None) -> Pairs:
        return time_pairs(num_steps, self.spacing if spacing is None else spacing)


@NOISE_SCHEDULERS.register_module()
class LinearPath(ContinuousPath):
    """The straight path of flow matching: signal(t) = t, noise(t) = 1 - t (Lipman et al. 2023; Liu et al. 2023).

    The velocity is dx/dt = x_0 - epsilon, as in FMPose3D. Stable Diffusion 3 and diffusers count time the other way
    (sigma = 1 - t) and predict the opposite velocity.

    Args:
        prediction_type, time_input: See :class:`ContinuousPath`.
    """

    def _scales_at(self, t: float) -> Level[float]:
        return Level(float(t), 1.0 - t, 1.0, -1.0)

    def _scales(self, t: Tensor) -> Level[Tensor]:
        one = torch.ones_like(t)
        return Level(t, 1 - t, one, -one)

    def time_at(self, sigma: float) -> float:
        return 1 - sigma

    def times_at(self, half_log_snr: Tensor) -> Tensor:
        return half_log_snr.sigmoid().clamp(max=LAST)


@NOISE_SCHEDULERS.register_module()
class CosinePath(ContinuousPath):
    """The variance-preserving path signal(t) = sin(πt/2), noise(t) = cos(πt/2) in continuous time.

    It is the cosine schedule (Nichol & Dhariwal 2021) without offset and maximum of beta, the trigonometric path of
    Albergo & Vanden-Eijnden 2023. The velocity is -π/2 times v.

    Args:
        prediction_type, time_input: See :class:`ContinuousPath`.
    """

    def _scales_at(self, t: float) -> Level[float]:
        angle = t * math.pi / 2
        # exactly 0 at t = 1, where the cosine of float64 is not
        signal, noise = math.sin(angle), math.cos(angle) if t < 1 else 0.0
        return Level(signal, noise, noise * math.pi / 2, -signal * math.pi / 2, preserves_variance=True)

    def _scales(self, t: Tensor) -> Level[Tensor]:
        angle = t * (math.pi / 2)
        signal, noise = angle.sin(), angle.cos().clamp(min=0)  # at t = 1, the cosine of float32 is below 0
        return Level(signal, noise, noise * (math.pi / 2), signal * (-math.pi / 2), preserves_variance=True)

    def time_at(self, sigma: float) -> float:
        return math.atan2(1 - sigma, sigma) * 2 / math.pi

    def times_at(self, half_log_snr: Tensor) -> Tensor:
        return (half_log_snr.exp().atan() * (2 / math.pi)).clamp(max=LAST)
