"""DPM-Solver++ for sampling in few steps."""

from __future__ import annotations

import math

from torch import Tensor

from posediff.diffusion.samplers.base import BaseSampler, Step
from posediff.registry import SAMPLERS


@SAMPLERS.register_module()
class DPMSolverSampler(BaseSampler):
    """DPM-Solver++(2M) (Lu et al. 2022, algorithm 2): second order, one denoiser call per step.

    Two steps are first order: the first, because it has no previous x_0, and the last, because the half log-SNR lambda
    is infinite at alpha_bar = 1; the last step returns its x_0.
    """

    def step(self, step: Step, z: Tensor | None) -> Tensor:
        if step.alpha_bar_prev == 1.0:
            return step.x_0
        h = _half_log_snr(step.alpha_bar_prev) - _half_log_snr(step.alpha_bar)
        estimate = step.x_0
        if step.previous is not None:
            r = (_half_log_snr(step.alpha_bar) - _half_log_snr(step.previous.alpha_bar)) / h
            estimate = (1 + 0.5 / r) * step.x_0 - (0.5 / r) * step.previous.x_0
        sigma_ratio = math.sqrt((1 - step.alpha_bar_prev) / (1 - step.alpha_bar))
        return sigma_ratio * step.x_t - math.sqrt(step.alpha_bar_prev) * math.expm1(-h) * estimate


def _half_log_snr(alpha_bar: float) -> float:
    return 0.5 * math.log(alpha_bar / (1 - alpha_bar))
