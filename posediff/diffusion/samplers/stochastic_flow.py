"""Sampling that renews all noise in every step."""

from __future__ import annotations

from torch import Tensor

from posediff.diffusion.samplers.base import BaseSampler, Step
from posediff.registry import SAMPLERS


@SAMPLERS.register_module()
class StochasticFlowSampler(BaseSampler):
    """Stochastic sampling of flow matching: x_prev = signal_prev·x_0 + noise_prev·z with new noise z.

    It is ``stochastic_sampling`` of diffusers' flow schedulers, and the multistep sampling of consistency models (Song
    et al. 2023, algorithm 1). It is made for a denoiser whose x_0 is a sample, as after distillation. With a denoiser
    that predicts the mean of x_0 given x_t, the result has less spread than the data, for any number of steps; use
    ``DDIMSampler`` with ``eta`` there.
    """

    keeps_spread = False

    @property
    def stochastic(self) -> bool:
        return True

    def step(self, step: Step, z: Tensor | None) -> Tensor:
        return step.x_0 if z is None else step.signal_prev * step.x_0 + step.noise_prev * z
