"""Discrete variance-preserving paths: a table of alpha_bar.

Symbols (DDPM, Ho et al. 2020): ``beta_t`` is the variance added at step t, ``alpha_t = 1 - beta_t``,
``alpha_bar_t = prod_{s<=t} alpha_s``. Timesteps start at 0: t = 0 has the least noise; t = -1 is the clean signal, with
alpha_bar 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers.base import GaussianPath
from posediff.diffusion.noise_schedulers.beta_tables import betas_of, shifted, with_zero_terminal_snr
from posediff.diffusion.prediction import Level
from posediff.diffusion.timesteps import Pairs, timestep_pairs
from posediff.registry import NOISE_SCHEDULERS
from posediff.structures.argument_checks import require_finite


@NOISE_SCHEDULERS.register_module()
class BetasNoiseScheduler(GaussianPath):
    """The path of a given table of betas: signal = sqrt(alpha_bar), noise = sqrt(1 - alpha_bar).

    The tables are float64 on the CPU and not part of a state dict. Arithmetic on states is at least float32, also under
    autocast.

    Args:
        betas: ``num_train_timesteps`` variances in (0, 1).
        prediction_type: Output of the denoiser: ``'epsilon'``, ``'sample'`` (x_0) or ``'v_prediction'``.
        shift: Factor on the ratio of noise to signal, sqrt((1 - alpha_bar) / alpha_bar), at every step: > 1 adds noise.
            The log-SNR falls by 2 log(shift), as in the shifted schedule of "simple diffusion" (Hoogeboom et al. 2023,
            section 3.1; there, shift is the image size divided by 64). It is the same as an x_0 divided by ``shift``,
            except for the scale of x_t and of the output.
        rescale_zero_terminal_snr: Whether the last step is pure noise, alpha_bar = 0, so that training has the state
            from which sampling starts (Lin et al., "Common diffusion noise schedules and sample steps are flawed",
            WACV 2024). The other steps are moved as there; epsilon cannot be predicted then.
        time_input: ``'index'`` (int64), ``'time'`` (1 - (index + 1) / length), ``'log_snr'`` or ``'sigma_1000'``; see
            :class:`GaussianPath`.

    Attributes:
        beta, alpha_bar: float64 tables of length ``num_train_timesteps``; alpha_bar decreases within (0, 1), or to 0
            with ``rescale_zero_terminal_snr``.
    """

    continuous = False
    spacing = 'trailing'
    clean = -1
    time_inputs = ('index', 'time', 'log_snr', 'sigma_1000')
    prediction_types = ('epsilon', 'sample', 'v_prediction')

    def __init__(
        self,
        betas: Sequence[float] | np.ndarray,
        prediction_type: str = 'epsilon',
        shift: float = 1.0,
        rescale_zero_terminal_snr: bool = False,
        time_input: str = 'index',
    ) -> None:
        table = torch.as_tensor(np.asarray(betas, dtype=np.float64).copy())
        if table.ndim != 1 or len(table) == 0:
            raise ValueError(f'betas must be a non-empty list of numbers, got shape {tuple(table.shape)}')
        if not bool(((table > 0) & (table < 1)).all()):
            raise ValueError(f'betas must lie in (0, 1), got min {float(table.min())} and max {float(table.max())}')
        require_finite(type(self).__name__, {'shift': shift})
        if shift <= 0:
            raise ValueError(f'shift must be positive, got {shift}; 1 is no shift')
        if rescale_zero_terminal_snr:
            if len(table) == 1:
                raise ValueError('rescale_zero_terminal_snr needs at least two timesteps')
            table = betas_of(with_zero_terminal_snr(torch.cumprod(1.0 - table, dim=0)))
        if shift != 1:
            table = betas_of(shifted(torch.cumprod(1.0 - table, dim=0), shift))
        self.beta = table
        self.alpha_bar = torch.cumprod(1.0 - table, dim=0)
        self.start, self.default_inference_steps = len(table) - 1, len(table)
        self._on_device: dict[torch.device, tuple[Tensor, Tensor]] = {}
        super().__init__(prediction_type, time_input)

    @property
    def num_train_timesteps(self) -> int:
        return len(self.alpha_bar)

    def alpha_bar_at(self, t: float) -> float:
        """Return alpha_bar of one step; 1.0 for t = -1, the clean signal."""
        if t != int(t):
            raise ValueError(f'timestep {t} lies between the steps of a table')
        if not -1 <= t < self.num_train_timesteps:
            raise ValueError(f'timestep {t} is outside -1..{self.num_train_timesteps - 1}')
        return 1.0 if t == -1 else float(self.alpha_bar[int(t)])

    def level(self, t: float) -> Level[float]:
        alpha_bar = self.alpha_bar_at(t)
        return Level(alpha_bar**0.5, (1 - alpha_bar) ** 0.5, preserves_variance=True)

    def levels(self, timestep: Tensor) -> Level[Tensor]:
        if timestep.dtype != torch.int64:
            raise ValueError(
                f'{type(self).__name__} takes int64 timesteps, the indices of its table, got {timestep.dtype}'
            )
        if timestep.device.type == 'cpu' and timestep.numel():  # on an accelerator, reading them would wait
            least, most = int(timestep.min()), int(timestep.max())
            if least < 0 or most >= self.num_train_timesteps:
                wrong = least if least < 0 else most
                raise ValueError(
                    f'timestep {wrong} is outside 0..{self.num_train_timesteps - 1}, the table of {type(self).__name__}'
                )
        signal, noise = self._tables(timestep.device)
        return Level(signal[timestep], noise[timestep], preserves_variance=True)

    def time_at(self, sigma: float) -> int:
        signal, noise = self.alpha_bar.sqrt(), (1 - self.alpha_bar).sqrt()
        return int((noise / (signal + noise) - sigma).abs().argmin())

    def times_at(self, half_log_snr: Tensor) -> Tensor:
        signal, noise = self._tables(half_log_snr.device)
        falling = signal.log() - noise.log()
        # the boundaries between neighbours, rising; no finite value is nearest to pure noise, -inf
        boundaries = ((falling[1:] + falling[:-1]) / 2).flip(0)
        return len(boundaries) - torch.searchsorted(boundaries, half_log_snr.to(boundaries.dtype))

    def draw_timesteps(self, num_rows: int, device: torch.device, generator: torch.Generator | None = None) -> Tensor:
        """Draw uniform timesteps for training, int64 (N,)."""
        return torch.randint(self.num_train_timesteps, (num_rows,), device=device, generator=generator)

    def walk(self, num_steps: int, spacing: str | Sequence[float] | None = None) -> Pairs:
        return timestep_pairs(self.num_train_timesteps, num_steps, self.spacing if spacing is None else spacing)

    def _time(self, timestep: Tensor) -> Tensor:
        return 1 - (timestep + 1) / self.num_train_timesteps

    def _tables(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return signal and noise as float32 tables on a device."""
        tables = self._on_device.get(device)
        if tables is None:
            alpha_bar = self.alpha_bar.to(device, torch.float32, non_blocking=True)
            tables = self._on_device.setdefault(device, (alpha_bar.sqrt(), (1 - alpha_bar).sqrt()))
        return tables
