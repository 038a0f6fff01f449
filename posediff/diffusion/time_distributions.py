"""Distributions of the time in training."""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import GaussianPath

TIME_DISTRIBUTIONS = ('uniform', 'logit_normal')


def draw_logit_normal(
    path: GaussianPath,
    num_rows: int,
    device: torch.device,
    mean: float = 0.0,
    std: float = 1.0,
    uniform_share: float = 0.1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw times whose log(signal / noise) is normal; some of them are uniform instead.

    On the linear path this is t = sigmoid(mean + std·n), the logit-normal density of Stable Diffusion 3 (Esser et al.,
    ICML 2024, section 3.1; mean 0 and std 1 there), which has more times in the middle and none at the ends. Sampling
    in one step uses the noisy end alone, so a share of uniform times remains. On other paths, the noise levels have the
    same distribution; on a table, the nearest steps are taken.

    Args:
        path: The path.
        num_rows: N.
        device: Device of the times; nothing waits for it.
        mean: Mean of log(signal / noise); below 0, more times near the noise.
        std: Its standard deviation, > 0.
        uniform_share: Probability that a time is uniform, 0 to 1.
        generator: Generator on ``device``; None: the global one.

    Returns:
        Times (N,) in the dtype of the path.
    """
    normal = torch.randn(num_rows, device=device, generator=generator)
    times = path.times_at(mean + std * normal)
    uniform = path.draw_timesteps(num_rows, device, generator)
    return torch.where(torch.rand(num_rows, device=device, generator=generator) < uniform_share, uniform, times)
