"""Weights of the training loss by time."""

from __future__ import annotations

from torch import Tensor

from posediff.diffusion.noise_schedulers import GaussianPath
from posediff.diffusion.prediction import squared_error_factor

LOSS_WEIGHTS = ('none', 'min_snr')


def min_snr_weight(path: GaussianPath, timestep: Tensor, gamma: float = 5.0) -> Tensor:
    """Return the min-SNR weights of the squared error of the denoiser's output (Hang et al., ICCV 2023).

    With SNR = signal² / noise², the squared error of x_0 has the weight min(SNR, gamma). At the same x_t, the squared
    error of another output differs from that of x_0 by a factor, which is part of the weight:

    * ``sample``: min(SNR, gamma)
    * ``epsilon``: min(SNR, gamma) / SNR
    * ``v_prediction`` on variance-preserving paths: min(SNR, gamma) / (SNR + 1)
    * ``velocity`` on the linear path: min(SNR, gamma)·(1 - t)²

    Args:
        path: The path with its prediction type.
        timestep: Times (N,) or (1,).
        gamma: Maximum of the weight of x_0; 5 in the paper.

    Returns:
        float32, of the shape of ``timestep``.
    """
    level = path.levels(timestep)
    signal, noise = level.signal.square(), level.noise.square()
    if path.prediction_type == 'sample':
        return (signal / noise).clamp(max=gamma)
    # min(SNR, gamma)·noise² as min(signal², gamma·noise²), which is finite where the SNR is not
    return signal.minimum(gamma * noise) / squared_error_factor(path.prediction_type, level)
