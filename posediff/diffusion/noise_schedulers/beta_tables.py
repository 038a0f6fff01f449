"""Changes of a table of alpha_bar."""

from __future__ import annotations

import torch
from torch import Tensor


def betas_of(alpha_bar: Tensor) -> Tensor:
    """Return the betas (T,) of a decreasing table of alpha_bar (T,): 1 - alpha_bar_t / alpha_bar_{t-1}."""
    before = torch.cat([torch.ones_like(alpha_bar[:1]), alpha_bar[:-1]])
    return 1 - alpha_bar / before


def shifted(alpha_bar: Tensor, shift: float) -> Tensor:
    """Return the table in which the ratio of noise to signal is multiplied by ``shift``.

    The ratio is sqrt((1 - alpha_bar) / alpha_bar). With sigma = ratio / (1 + ratio), as in flow matching, this is
    sigma' = shift·sigma / (1 + (shift - 1)·sigma).

    Args:
        alpha_bar: (T,), decreasing within [0, 1).
        shift: Factor on the ratio, > 0; 1 changes nothing.
    """
    return alpha_bar / (alpha_bar + shift**2 * (1 - alpha_bar))


def with_zero_terminal_snr(alpha_bar: Tensor) -> Tensor:
    """Return the table whose last entry is 0 and whose first is unchanged (Lin et al., WACV 2024, algorithm 1).

    The roots are moved and scaled: r_t ← (r_t - r_T)·r_1 / (r_1 - r_T) with r = sqrt(alpha_bar).

    Args:
        alpha_bar: (T,), decreasing within (0, 1), T > 1.
    """
    root = alpha_bar.sqrt()
    return ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
