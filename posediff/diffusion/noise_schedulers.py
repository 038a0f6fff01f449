"""Noise schedulers: the table of alpha_bar and the forward process.

Symbols (DDPM, Ho et al. 2020): ``beta_t`` is the variance added at step t, ``alpha_t = 1 - beta_t``,
``alpha_bar_t = prod_{s<=t} alpha_s``. Timesteps start at 0: t = 0 has the least noise; t = -1 is the clean signal, with
alpha_bar 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from posediff.diffusion.prediction import PREDICTION_TYPES, from_x_0_and_epsilon, to_x_0_and_epsilon
from posediff.registry import NOISE_SCHEDULERS
from posediff.structures.argument_checks import require_finite


def per_row(values: Tensor, like: Tensor) -> Tensor:
    """Reshape coefficients (N,) or (1,) for broadcasting with a state (N, …)."""
    return values.reshape(-1, *([1] * (like.ndim - 1)))


def shifted_betas(alpha_bar: Tensor, shift: float) -> Tensor:
    """Return the betas of the schedule in which the ratio of noise to signal is multiplied by ``shift``.

    The ratio is sqrt((1 - alpha_bar) / alpha_bar). With sigma = ratio / (1 + ratio), as in flow matching, this is
    sigma' = shift·sigma / (1 + (shift - 1)·sigma).

    Args:
        alpha_bar: (T,), decreasing within (0, 1).
        shift: Factor on the ratio, > 0; 1 changes nothing.

    Returns:
        (T,) betas in (0, 1), of the dtype of ``alpha_bar``.
    """
    moved = alpha_bar / (alpha_bar + shift**2 * (1 - alpha_bar))
    before = torch.cat([torch.ones_like(moved[:1]), moved[:-1]])
    return 1 - moved / before


@NOISE_SCHEDULERS.register_module()
class BetasNoiseScheduler:
    """The forward process q(x_t | x_0) for a given table of betas.

    The tables are float64 on the CPU and not part of a state dict. Arithmetic on states is at least float32, also under
    autocast.

    Args:
        betas: ``num_train_timesteps`` variances in (0, 1).
        prediction_type: Output of the denoiser: ``'epsilon'``, ``'sample'`` (x_0) or ``'v_prediction'``.
        shift: Factor on the ratio of noise to signal, sqrt((1 - alpha_bar) / alpha_bar), at every step: > 1 adds noise.
            The log-SNR falls by 2 log(shift), as in the shifted schedule of "simple diffusion" (Hoogeboom et al. 2023,
            section 3.1; there, shift is the image size divided by 64). It is the same as an x_0 divided by ``shift``,
            except for the scale of x_t and of the output.

    Attributes:
        beta, alpha_bar: float64 tables of length ``num_train_timesteps``; alpha_bar decreases within (0, 1).
    """

    def __init__(
        self, betas: Sequence[float] | np.ndarray, prediction_type: str = 'epsilon', shift: float = 1.0
    ) -> None:
        table = torch.as_tensor(np.asarray(betas, dtype=np.float64).copy())
        if table.ndim != 1 or len(table) == 0:
            raise ValueError(f'betas must be a non-empty list of numbers, got shape {tuple(table.shape)}')
        if not bool(((table > 0) & (table < 1)).all()):
            raise ValueError(f'betas must lie in (0, 1), got min {float(table.min())} and max {float(table.max())}')
        if prediction_type not in PREDICTION_TYPES:
            raise ValueError(f'prediction_type {prediction_type!r} is not one of {", ".join(PREDICTION_TYPES)}')
        require_finite(type(self).__name__, {'shift': shift})
        if shift <= 0:
            raise ValueError(f'shift must be positive, got {shift}; 1 is no shift')
        if shift != 1:
            table = shifted_betas(torch.cumprod(1.0 - table, dim=0), shift)
        self.beta = table
        self.alpha_bar = torch.cumprod(1.0 - table, dim=0)
        self.prediction_type = prediction_type
        self._on_device: dict[torch.device, Tensor] = {}

    @property
    def num_train_timesteps(self) -> int:
        return len(self.alpha_bar)

    def alpha_bar_at(self, t: int) -> float:
        """Return alpha_bar of one step; 1.0 for t = -1, the clean signal."""
        if not -1 <= t < self.num_train_timesteps:
            raise ValueError(f'timestep {t} is outside -1..{self.num_train_timesteps - 1}')
        return 1.0 if t == -1 else float(self.alpha_bar[t])

    def draw_timesteps(self, num_rows: int, device: torch.device, generator: torch.Generator | None = None) -> Tensor:
        """Draw uniform timesteps for training, int64 (N,)."""
        return torch.randint(self.num_train_timesteps, (num_rows,), device=device, generator=generator)

    def add_noise(self, x_0: Tensor, epsilon: Tensor, timestep: Tensor) -> Tensor:
        """Return x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) epsilon (DDPM, eq. 4).

        Args:
            x_0: (N, …) clean signal.
            epsilon: (N, …) standard normal noise.
            timestep: int64 (N,) or (1,).

        Returns:
            (N, …) x_t.
        """
        alpha_bar = self._gather(timestep, x_0)
        return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * epsilon

    def target(self, x_0: Tensor, epsilon: Tensor, timestep: Tensor) -> Tensor:
        """Return the training target of the denoiser at ``timestep``; the shapes are those of :meth:`add_noise`."""
        return from_x_0_and_epsilon(self.prediction_type, x_0, epsilon, self._gather(timestep, x_0))

    def split(self, output: Tensor, x_t: Tensor, t: int) -> tuple[Tensor, Tensor]:
        """Convert a denoiser output at step ``t`` to (x_0, epsilon), both in the shape of x_t."""
        return to_x_0_and_epsilon(self.prediction_type, output, x_t, self.alpha_bar_at(t))

    def estimate(self, output: Tensor, x_t: Tensor, timestep: Tensor) -> Tensor:
        """Return the x_0 that a denoiser output means; the shapes are those of :meth:`add_noise`."""
        return to_x_0_and_epsilon(self.prediction_type, output, x_t, self._gather(timestep, x_t))[0]

    def _gather(self, timestep: Tensor, like: Tensor) -> Tensor:
        table = self._on_device.get(like.device)
        if table is None:
            table = self._on_device.setdefault(
                like.device, self.alpha_bar.to(like.device, torch.float32, non_blocking=True)
            )
        return per_row(table[timestep], like)


@NOISE_SCHEDULERS.register_module()
class LinearNoiseScheduler(BetasNoiseScheduler):
    """A schedule with evenly spaced betas (DDPM, section 4).

    Args:
        num_train_timesteps: Length of the table.
        beta_start, beta_end: First and last beta, in (0, 1).
        prediction_type, shift: See :class:`BetasNoiseScheduler`.
    """

    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 1e-4,
        beta_end: float = 0.02,
        prediction_type: str = 'epsilon',
        shift: float = 1.0,
    ) -> None:
        super().__init__(np.linspace(beta_start, beta_end, _positive(num_train_timesteps)), prediction_type, shift)


@NOISE_SCHEDULERS.register_module()
class QuadraticNoiseScheduler(BetasNoiseScheduler):
    """A schedule with evenly spaced square roots of the betas (CSDI, section 6.1; ``quad`` in DiffHPE's code).

    Args:
        num_train_timesteps: Length of the table.
        beta_start, beta_end: First and last beta, in (0, 1).
        prediction_type, shift: See :class:`BetasNoiseScheduler`.
    """

    def __init__(
        self,
        num_train_timesteps: int = 50,
        beta_start: float = 1e-4,
        beta_end: float = 0.5,
        prediction_type: str = 'epsilon',
        shift: float = 1.0,
    ) -> None:
        roots = np.linspace(beta_start**0.5, beta_end**0.5, _positive(num_train_timesteps))
        super().__init__(roots**2, prediction_type, shift)


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
        prediction_type, shift: See :class:`BetasNoiseScheduler`.
    """

    def __init__(
        self,
        num_train_timesteps: int = 1000,
        max_beta: float = 0.999,
        offset: float = 0.008,
        prediction_type: str = 'epsilon',
        shift: float = 1.0,
    ) -> None:
        u = np.arange(_positive(num_train_timesteps) + 1) / num_train_timesteps
        f = np.cos((u + offset) / (1 + offset) * np.pi / 2) ** 2
        super().__init__(np.minimum(1 - f[1:] / f[:-1], max_beta), prediction_type, shift)


def _positive(num_train_timesteps: int) -> int:
    if num_train_timesteps < 1:
        raise ValueError(f'num_train_timesteps must be at least 1, got {num_train_timesteps}')
    return num_train_timesteps
