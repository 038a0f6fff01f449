"""Denoising diffusion implicit models, which on a linear path are Euler steps of flow matching."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from posediff.diffusion.samplers.base import BaseSampler, Step
from posediff.registry import SAMPLERS


@SAMPLERS.register_module()
class DDIMSampler(BaseSampler):
    """DDIM (Song et al. 2021, eq. 12): x_prev = signal_prev·x_0 + noise_prev·epsilon, with part of the noise renewed.

    With eta = 0 it is the explicit Euler method on every path, whatever the prediction type: in dx/dt on the linear
    path, x + (t_prev - t)·(x_0 - epsilon); on others, in sigma = noise / (signal + noise) of x / (signal + noise).

    Args:
        eta: Amount of noise, from 0 (deterministic) to 1 (as much as in ancestral sampling, eq. 16).
        spacing, clip_x_0, shift: See :class:`BaseSampler`.
    """

    def __init__(
        self,
        eta: float = 0.0,
        spacing: str | Sequence[float] | None = None,
        clip_x_0: float | None = None,
        shift: float = 1.0,
    ) -> None:
        super().__init__(spacing, clip_x_0, shift)
        if not 0 <= eta <= 1:
            raise ValueError(f'eta must be in 0..1, got {eta}')
        self.eta = eta

    @property
    def stochastic(self) -> bool:
        return self.eta > 0

    def step(self, step: Step, z: Tensor | None) -> Tensor:
        if self.eta == 0:
            return step.signal_prev * step.x_0 + step.noise_prev * step.epsilon
        sigma = self.eta * step.noise_prev / step.noise * step.added_variance**0.5
        kept = max(step.noise_prev**2 - sigma**2, 0.0) ** 0.5
        x_prev = step.signal_prev * step.x_0 + kept * step.epsilon
        return x_prev if z is None else x_prev + sigma * z
