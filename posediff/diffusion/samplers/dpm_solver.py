"""DPM-Solver++ for sampling in few steps."""

from __future__ import annotations

import math

from torch import Tensor

from posediff.diffusion.samplers.base import BaseSampler, Step
from posediff.registry import SAMPLERS


@SAMPLERS.register_module()
class DPMSolverSampler(BaseSampler):
    """DPM-Solver++(2M) (Lu et al. 2022, algorithm 2): second order, one denoiser call per step, on any Gaussian path.

    Steps at the ends are first order, because the half log-SNR lambda = log(signal / noise) is infinite there or a
    previous x_0 is missing: the first step, the second one if the path starts without signal, and the last one, which
    returns its x_0.
    """

    def step(self, step: Step, z: Tensor | None) -> Tensor:
        if step.noise_prev == 0:
            return step.x_0
        h = _half_log_snr(step.signal_prev, step.noise_prev) - _half_log_snr(step.signal, step.noise)
        estimate = step.x_0
        if step.previous is not None and step.previous.signal > 0:
            since = _half_log_snr(step.signal, step.noise) - _half_log_snr(step.previous.signal, step.previous.noise)
            r = since / h
            estimate = (1 + 0.5 / r) * step.x_0 - (0.5 / r) * step.previous.x_0
        return step.noise_prev / step.noise * step.x_t - step.signal_prev * math.expm1(-h) * estimate


def _half_log_snr(signal: float, noise: float) -> float:
    return math.log(signal / noise) if signal > 0 else -math.inf
