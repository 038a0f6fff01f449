"""The noisy state of a training step, and the estimate of x_0 that the denoiser gets with it."""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import BetasNoiseScheduler
from posediff.models.denoisers.base import BaseDenoiser

SELF_CONDITIONED = 0.5  # share of batches with an estimate (Analog Bits, algorithm 1)


def training_state(
    denoiser: BaseDenoiser,
    noise_scheduler: BetasNoiseScheduler,
    x_0: Tensor,
    noise: Tensor,
    timestep: Tensor,
    condition: Tensor,
) -> tuple[Tensor, ...]:
    """Return x_t (DDPM, algorithm 1), and an estimate of x_0 if the denoiser is to have one.

    With ``self_conditioning``, half of the batches get the estimate of the denoiser itself for this x_t, computed
    without gradient (Chen et al., "Analog Bits", ICLR 2023, section 3.2 and algorithm 1); the others get none. Which
    ones is drawn on the CPU, after timesteps and noise.

    Args:
        denoiser, noise_scheduler: Parts of the model.
        x_0, noise: (B, …) in head units.
        timestep: int64 (B,) or (1,).
        condition: (B, …).

    Returns:
        (x_t,) or (x_t, estimate), each (B, …).
    """
    x_t = noise_scheduler.add_noise(x_0, noise, timestep)
    if not denoiser.self_conditioning or float(torch.rand(())) >= SELF_CONDITIONED:
        return (x_t,)
    with torch.no_grad():
        return x_t, noise_scheduler.estimate(denoiser(x_t, timestep, condition), x_t, timestep)
