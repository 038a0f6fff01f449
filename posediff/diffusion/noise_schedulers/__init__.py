"""Forward processes: tables of betas (discrete time) and continuous paths, all of them Gaussian paths."""

from posediff.diffusion.noise_schedulers.base import GaussianPath
from posediff.diffusion.noise_schedulers.continuous import ContinuousPath, CosinePath, LinearPath
from posediff.diffusion.noise_schedulers.schedules import (
    CosineNoiseScheduler,
    LinearNoiseScheduler,
    QuadraticNoiseScheduler,
)
from posediff.diffusion.noise_schedulers.table import BetasNoiseScheduler

__all__ = [
    'BetasNoiseScheduler', 'ContinuousPath', 'CosineNoiseScheduler', 'CosinePath', 'GaussianPath',
    'LinearNoiseScheduler', 'LinearPath', 'QuadraticNoiseScheduler',
]  # fmt: skip
