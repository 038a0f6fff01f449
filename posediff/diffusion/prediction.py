"""Conversion between what a denoiser predicts and the pair (x_0, epsilon).

On a Gaussian path x_t = a·x_0 + s·epsilon with a = signal(t) and s = noise(t), every output of a denoiser is a linear
combination p·x_0 + q·epsilon:

===============  =======  ======  ================================================================================
prediction type  p        q       source
===============  =======  ======  ================================================================================
epsilon          0        1       DDPM (Ho et al. 2020)
sample           1        0       x_0
v_prediction     -s       a       Salimans & Ho 2022, appendix D; there on variance-preserving paths
velocity         da/dt    ds/dt   dx/dt at fixed x_0 and epsilon, as in flow matching (Lipman et al. 2023)
===============  =======  ======  ================================================================================

x_0 and epsilon can be read from it where the determinant a·q - s·p is not 0: epsilon not at a = 0, x_0 not at s = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor

PREDICTION_TYPES = ('epsilon', 'sample', 'v_prediction', 'velocity')

Scale = TypeVar('Scale', float, Tensor)


@dataclass(frozen=True)
class Level(Generic[Scale]):
    """The scales of a path at one time (numbers), or at one time for each row (tensors, broadcastable to x_t).

    Attributes:
        signal, noise: a and s.
        signal_rate, noise_rate: Their derivatives by t; None on a table of discrete steps.
        preserves_variance: Whether a² + s² = 1.
    """

    signal: Scale
    noise: Scale
    signal_rate: Scale | None = None
    noise_rate: Scale | None = None
    preserves_variance: bool = False


def to_x_0_and_epsilon(prediction_type: str, output: Tensor, x_t: Tensor, level: Level[Scale]) -> tuple[Tensor, Tensor]:
    """Convert the output of a denoiser to (x_0, epsilon).

    Args:
        prediction_type: One of ``PREDICTION_TYPES``.
        output: (N, …) output of the denoiser, any float dtype.
        x_t: (N, …) input of the denoiser.
        level: Scales of the path at the time of x_t.

    Returns:
        x_0 and epsilon, each (N, …) in the dtype of x_t.
    """
    a, s = level.signal, level.noise
    output = output.to(x_t.dtype)
    if prediction_type == 'epsilon':
        return (x_t - s * output) / a, output
    if prediction_type == 'sample':
        return output, (x_t - a * output) / s
    p, q = _coefficients(prediction_type, level)
    x_0, epsilon = q * x_t - s * output, a * output - p * x_t
    determinant = _determinant(prediction_type, level)
    if isinstance(determinant, float) and determinant == 1.0:
        return x_0, epsilon
    return x_0 / determinant, epsilon / determinant


def from_x_0_and_epsilon(prediction_type: str, x_0: Tensor, epsilon: Tensor, level: Level[Scale]) -> Tensor:
    """Return the output of a perfect denoiser, the inverse of :func:`to_x_0_and_epsilon`.

    Args:
        prediction_type: One of ``PREDICTION_TYPES``.
        x_0: (N, …) clean signal.
        epsilon: (N, …) added noise.
        level: Scales of the path.
    """
    if prediction_type == 'epsilon':
        return epsilon
    if prediction_type == 'sample':
        return x_0
    p, q = _coefficients(prediction_type, level)
    return q * epsilon + p * x_0


def squared_error_factor(prediction_type: str, level: Level[Scale]) -> float | Tensor:
    """Return (determinant)², by which noise²·‖output - target‖² is divided to give ‖x_0-hat - x_0‖² at the same x_t."""
    determinant = _determinant(prediction_type, level)
    return determinant * determinant


def _coefficients(prediction_type: str, level: Level[Scale]) -> tuple[Scale, Scale]:
    """Return (p, q) of the types that depend on the time."""
    if prediction_type == 'v_prediction':
        return -level.noise, level.signal
    if prediction_type == 'velocity':
        if level.signal_rate is None or level.noise_rate is None:
            raise ValueError('velocity is dx/dt, which a table of discrete steps does not have; use v_prediction')
        return level.signal_rate, level.noise_rate
    raise ValueError(f'prediction_type {prediction_type!r} is not one of {", ".join(PREDICTION_TYPES)}')


def _determinant(prediction_type: str, level: Level[Scale]) -> float | Tensor:
    a, s = level.signal, level.noise
    if prediction_type == 'epsilon':
        return a
    if prediction_type == 'sample':
        return -s
    if prediction_type == 'v_prediction' and level.preserves_variance:
        return 1.0
    p, q = _coefficients(prediction_type, level)
    return a * q - s * p


def per_row(values: Tensor, like: Tensor) -> Tensor:
    """Reshape coefficients (N,) or (1,) for broadcasting with a state (N, …)."""
    return values.reshape(-1, *([1] * (like.ndim - 1)))


def rows_of(level: Level[Tensor], like: Tensor) -> Level[Tensor]:
    """Return a level of tensors (N,) or (1,), reshaped for broadcasting with a state (N, …)."""
    by_t, noise_by_t = (None if rate is None else per_row(rate, like) for rate in (level.signal_rate, level.noise_rate))
    return Level(per_row(level.signal, like), per_row(level.noise, like), by_t, noise_by_t, level.preserves_variance)
