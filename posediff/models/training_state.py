"""The time, the noisy state and the loss weight of a training step."""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.diffusion.loss_weights import min_snr_weight
from posediff.diffusion.noise_schedulers import GaussianPath
from posediff.diffusion.prediction import per_row
from posediff.diffusion.time_distributions import draw_logit_normal
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.options import TrainOptions

SELF_CONDITIONED = 0.5  # share of batches with an estimate (Analog Bits, algorithm 1)


def draw_times(path: GaussianPath, num_rows: int, device: torch.device, options: TrainOptions) -> Tensor:
    """Draw times (N,) for training, as ``time_distribution`` says."""
    if options.time_distribution == 'uniform':
        return path.draw_timesteps(num_rows, device)
    moments = options.logit_mean, options.logit_std
    return draw_logit_normal(path, num_rows, device, *moments, options.uniform_share)


def loss_weight(
    path: GaussianPath, timestep: Tensor, like: Tensor, options: TrainOptions, weight: Tensor | None
) -> Tensor | None:
    """Return ``weight`` (broadcastable to ``like`` (B, …), or None) times that of the times (B,) or (1,)."""
    if options.loss_weight == 'none':
        return weight
    by_time = per_row(min_snr_weight(path, timestep, options.min_snr_gamma), like)
    return by_time if weight is None else weight * by_time


def training_state(
    denoiser: BaseDenoiser,
    noise_scheduler: GaussianPath,
    x_0: Tensor,
    noise: Tensor,
    timestep: Tensor,
    condition: Tensor,
    own_states: float = 0.0,
) -> tuple[Tensor, ...]:
    """Return x_t (DDPM, algorithm 1, or :func:`own_state`), and an estimate of x_0 if the denoiser is to have one.

    With ``self_conditioning``, half of the batches get the estimate of the denoiser itself for this x_t, computed
    without gradient (Chen et al., "Analog Bits", ICLR 2023, section 3.2 and algorithm 1); the others get none. An own
    state comes with its estimate. Both kinds of batches are drawn on the CPU, after timesteps and noise.

    Args:
        denoiser, noise_scheduler: Parts of the model.
        x_0, noise: (B, …) in head units.
        timestep: Times (B,) or (1,) of the path: int64 on a table, float on a continuous path.
        condition: (B, …).
        own_states: Probability of a batch of own states, of :class:`posediff.models.options.TrainOptions`.

    Returns:
        (x_t,) or (x_t, estimate), each (B, …).
    """
    if _happens(own_states):
        state = own_state(denoiser, noise_scheduler, noise, timestep, condition)
        torch.clear_autocast_cache()
        return state if denoiser.self_conditioning else state[:1]
    x_t = noise_scheduler.add_noise(x_0, noise, timestep)
    if not (denoiser.self_conditioning and _happens(SELF_CONDITIONED)):
        return (x_t,)
    network_time = noise_scheduler.network_time(timestep)
    with torch.no_grad():
        estimate = noise_scheduler.estimate(denoiser(x_t, network_time, condition), x_t, timestep)
    torch.clear_autocast_cache()  # else the next call would use weights that were cast without gradient
    return x_t, estimate


@torch.no_grad()
def own_state(
    denoiser: BaseDenoiser, noise_scheduler: GaussianPath, noise: Tensor, timestep: Tensor, condition: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the state of a deterministic DDIM sampler after its first step, from x_T = noise to ``timestep``.

    In it, the denoiser's estimate of x_0 for x_T is in the place of x_0, as in the self-aligned denoising of DDP (Ji et
    al., ICCV 2023). DDP adds the noise itself; so does DDIM where the path starts without signal.

    Args:
        denoiser, noise_scheduler, noise, timestep, condition: As for :func:`training_state`.

    Returns:
        x_t and the estimate of x_0, each (B, …).
    """
    start = noise_scheduler.start
    first = noise_scheduler.network_time(noise_scheduler.as_tensor(start, noise.device))
    x_0, epsilon = noise_scheduler.split(denoiser(noise, first, condition), noise, start)
    return noise_scheduler.add_noise(x_0, epsilon, timestep), x_0


def _happens(probability: float) -> bool:
    return probability > 0 and float(torch.rand(())) < probability
