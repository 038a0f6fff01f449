"""Ancestral sampling."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from posediff.diffusion.samplers.base import BaseSampler, Step
from posediff.registry import SAMPLERS


@SAMPLERS.register_module()
class DDPMSampler(BaseSampler):
    """Ancestral sampling from the posterior q(x_{t_prev} | x_t, x_0) (DDPM, eqs. 6-7).

    For a subset of the training steps, the posterior is that of the coarser chain with beta = 1 - alpha_bar_t /
    alpha_bar_prev (Improved DDPM, eq. 19).

    Args:
        variance: ``'posterior'``, beta·(1 - alpha_bar_prev) / (1 - alpha_bar), or ``'beta'``: the two choices of
            DDPM's section 3.2.
        spacing, clip_x_0: See :class:`BaseSampler`.
    """

    def __init__(
        self, variance: str = 'posterior', spacing: str | Sequence[int] = 'trailing', clip_x_0: float | None = None
    ) -> None:
        super().__init__(spacing, clip_x_0)
        if variance not in ('posterior', 'beta'):
            raise ValueError(f"variance must be 'posterior' or 'beta', got {variance!r}")
        self.variance = variance

    @property
    def stochastic(self) -> bool:
        return True

    def step(self, step: Step, z: Tensor | None) -> Tensor:
        alpha = step.alpha_bar / step.alpha_bar_prev
        beta, left, left_prev = 1 - alpha, 1 - step.alpha_bar, 1 - step.alpha_bar_prev
        # posterior mean, DDPM eq. 7; in the last step left_prev = 0 and the mean is x_0
        mean = (step.alpha_bar_prev**0.5 * beta / left) * step.x_0 + (alpha**0.5 * left_prev / left) * step.x_t
        if z is None:
            return mean
        variance = beta * left_prev / left if self.variance == 'posterior' else beta
        return mean + variance**0.5 * z
