"""Ancestral sampling."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from posediff.diffusion.samplers.base import BaseSampler, Step
from posediff.registry import SAMPLERS


@SAMPLERS.register_module()
class DDPMSampler(BaseSampler):
    """Ancestral sampling from the posterior q(x_{t_prev} | x_t, x_0) (DDPM, eqs. 6-7), on any Gaussian path.

    For a subset of the training steps, the posterior is that of the coarser chain (Improved DDPM, eq. 19): with
    r = signal_t / signal_prev, the variance beta = noise_t² - r²·noise_prev² is added from t_prev to t.

    Args:
        variance: ``'posterior'``, beta·noise_prev² / noise_t², or ``'beta'``: the two choices of DDPM's section 3.2.
            ``'beta'`` is too large where beta is: in few steps, and from a signal-to-noise ratio of 0.
        spacing, clip_x_0, shift: See :class:`BaseSampler`.
    """

    def __init__(
        self,
        variance: str = 'posterior',
        spacing: str | Sequence[float] | None = None,
        clip_x_0: float | None = None,
        shift: float = 1.0,
    ) -> None:
        super().__init__(spacing, clip_x_0, shift)
        if variance not in ('posterior', 'beta'):
            raise ValueError(f"variance must be 'posterior' or 'beta', got {variance!r}")
        self.variance = variance

    @property
    def stochastic(self) -> bool:
        return True

    def step(self, step: Step, z: Tensor | None) -> Tensor:
        beta, left, left_prev = step.added_variance, step.noise**2, step.noise_prev**2
        # posterior mean, DDPM eq. 7; in the last step left_prev = 0 and the mean is x_0
        kept = step.signal / step.signal_prev * left_prev / left
        mean = (step.signal_prev * beta / left) * step.x_0 + kept * step.x_t
        if z is None:
            return mean
        variance = beta * left_prev / left if self.variance == 'posterior' else beta
        return mean + variance**0.5 * z
