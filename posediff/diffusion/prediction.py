"""Conversion between epsilon, x_0 and v.

With a = sqrt(alpha_bar_t) and s = sqrt(1 - alpha_bar_t): x_t = a·x_0 + s·epsilon (DDPM eq. 4) and v = a·epsilon - s·x_0
(Salimans & Ho 2022, appendix D).
"""

from __future__ import annotations

from torch import Tensor

PREDICTION_TYPES = ('epsilon', 'sample', 'v_prediction')


def to_x_0_and_epsilon(
    prediction_type: str, output: Tensor, x_t: Tensor, alpha_bar: float | Tensor
) -> tuple[Tensor, Tensor]:
    """Convert the output of a denoiser to (x_0, epsilon).

    Args:
        prediction_type: One of ``PREDICTION_TYPES``.
        output: (N, …) output of the denoiser, any float dtype.
        x_t: (N, …) input of the denoiser.
        alpha_bar: alpha_bar of the step, in (0, 1); a number, or broadcastable to x_t.

    Returns:
        x_0 and epsilon, each (N, …) in the dtype of x_t.
    """
    a, s = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    output = output.to(x_t.dtype)
    if prediction_type == 'epsilon':
        return (x_t - s * output) / a, output
    if prediction_type == 'sample':
        return output, (x_t - a * output) / s
    if prediction_type == 'v_prediction':
        return a * x_t - s * output, s * x_t + a * output
    raise _unknown(prediction_type)


def from_x_0_and_epsilon(prediction_type: str, x_0: Tensor, epsilon: Tensor, alpha_bar: Tensor) -> Tensor:
    """Return the output of a perfect denoiser, the inverse of :func:`to_x_0_and_epsilon`.

    Args:
        prediction_type: One of ``PREDICTION_TYPES``.
        x_0: (N, …) clean signal.
        epsilon: (N, …) added noise.
        alpha_bar: Broadcastable to x_0.
    """
    if prediction_type == 'epsilon':
        return epsilon
    if prediction_type == 'sample':
        return x_0
    if prediction_type == 'v_prediction':
        return alpha_bar.sqrt() * epsilon - (1 - alpha_bar).sqrt() * x_0
    raise _unknown(prediction_type)


def _unknown(prediction_type: str) -> ValueError:
    return ValueError(f'prediction_type {prediction_type!r} is not one of {", ".join(PREDICTION_TYPES)}')
