"""The schedules of betas in the literature."""

from __future__ import annotations

import numpy as np

from posediff.diffusion.noise_schedulers.table import BetasNoiseScheduler
from posediff.registry import NOISE_SCHEDULERS


@NOISE_SCHEDULERS.register_module()
class LinearNoiseScheduler(BetasNoiseScheduler):
    """A schedule with evenly spaced betas (DDPM, section 4).

    Args:
        num_train_timesteps: Length of the table.
        beta_start, beta_end: First and last beta, in (0, 1).
        prediction_type, shift, rescale_zero_terminal_snr, time_input: See :class:`BetasNoiseScheduler`.
    """

    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 1e-4,
        beta_end: float = 0.02,
        prediction_type: str = 'epsilon',
        shift: float = 1.0,
        rescale_zero_terminal_snr: bool = False,
        time_input: str = 'index',
    ) -> None:
        betas = np.linspace(beta_start, beta_end, _positive(num_train_timesteps))
        super().__init__(betas, prediction_type, shift, rescale_zero_terminal_snr, time_input)


@NOISE_SCHEDULERS.register_module()
class QuadraticNoiseScheduler(BetasNoiseScheduler):
    """A schedule with evenly spaced square roots of the betas (CSDI, section 6.1; ``quad`` in DiffHPE's code).

    Args:
        num_train_timesteps: Length of the table.
        beta_start, beta_end: First and last beta, in (0, 1).
        prediction_type, shift, rescale_zero_terminal_snr, time_input: See :class:`BetasNoiseScheduler`.
    """

    def __init__(
        self,
        num_train_timesteps: int = 50,
        beta_start: float = 1e-4,
        beta_end: float = 0.5,
        prediction_type: str = 'epsilon',
        shift: float = 1.0,
        rescale_zero_terminal_snr: bool = False,
        time_input: str = 'index',
    ) -> None:
        roots = np.linspace(beta_start**0.5, beta_end**0.5, _positive(num_train_timesteps))
        super().__init__(roots**2, prediction_type, shift, rescale_zero_terminal_snr, time_input)


@NOISE_SCHEDULERS.register_module()
class CosineNoiseScheduler(BetasNoiseScheduler):
    """The cosine schedule (Nichol & Dhariwal 2021, eq. 17): alpha_bar is f(u) / f(0) at the time u = (t + 1) / n.

    With s = ``offset`` and n = ``num_train_timesteps``: f(u) = cos²((u + s) / (1 + s) · π/2) and
    ``beta_t = min(1 - f((t + 1) / n) / f(t / n), max_beta)``. The normalisation by f(0) cancels in the ratio, so
    alpha_bar equals f(u) / f(0) up to the first step at the maximum.

    Args:
        num_train_timesteps: n, length of the table.
        max_beta: Maximum of beta; 0.999 in Improved DDPM, 0.5 in DiffHPE's code (its ``beta_end``).
        offset: s; keeps the first betas above 0.
        prediction_type, shift, rescale_zero_terminal_snr, time_input: See :class:`BetasNoiseScheduler`.
    """

    def __init__(
        self,
        num_train_timesteps: int = 1000,
        max_beta: float = 0.999,
        offset: float = 0.008,
        prediction_type: str = 'epsilon',
        shift: float = 1.0,
        rescale_zero_terminal_snr: bool = False,
        time_input: str = 'index',
    ) -> None:
        u = np.arange(_positive(num_train_timesteps) + 1) / num_train_timesteps
        f = np.cos((u + offset) / (1 + offset) * np.pi / 2) ** 2
        betas = np.minimum(1 - f[1:] / f[:-1], max_beta)
        super().__init__(betas, prediction_type, shift, rescale_zero_terminal_snr, time_input)


def _positive(num_train_timesteps: int) -> int:
    if num_train_timesteps < 1:
        raise ValueError(f'num_train_timesteps must be at least 1, got {num_train_timesteps}')
    return num_train_timesteps
