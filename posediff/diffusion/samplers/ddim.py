"""Denoising diffusion implicit models."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from posediff.diffusion.samplers.base import BaseSampler, Step
from posediff.registry import SAMPLERS


@SAMPLERS.register_module()
class DDIMSampler(BaseSampler):
    """DDIM (Song et al. 2021, eq. 12).

    Args:
        eta: Amount of noise, from 0 (deterministic) to 1 (as much as in ancestral sampling, eq. 16).
        spacing, clip_x_0: See :class:`BaseSampler`.
    """

    def __init__(
        self, eta: float = 0.0, spacing: str | Sequence[int] = 'trailing', clip_x_0: float | None = None
    ) -> None:
        super().__init__(spacing, clip_x_0)
        if not 0 <= eta <= 1:
            raise ValueError(f'eta must be in 0..1, got {eta}')
        self.eta = eta

    @property
    def stochastic(self) -> bool:
        return self.eta > 0

    def step(self, step: Step, z: Tensor | None) -> Tensor:
        left, left_prev = 1 - step.alpha_bar, 1 - step.alpha_bar_prev
        sigma = self.eta * (left_prev / left * (1 - step.alpha_bar / step.alpha_bar_prev)) ** 0.5
        x_prev = step.alpha_bar_prev**0.5 * step.x_0 + max(left_prev - sigma**2, 0.0) ** 0.5 * step.epsilon
        return x_prev if z is None else x_prev + sigma * z
