"""Spread of M hypotheses against the error of their mean.

Shapes: ``hypotheses`` (…, M, T, K, 3), ``target`` (…, T, K, 3), both aligned at the root by the caller if the root is
not predicted. M must be 2 or more: a single hypothesis has no spread.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor


def squared_spread(hypotheses: Tensor) -> Tensor:
    """Return the unbiased variance of each joint's hypotheses, Σ_i ‖h_i - h̄‖² / (M - 1), summed over axes, (…, T, K).

    :func:`posediff.evaluation.hypotheses.hypothesis_spread` is another quantity: the root, with division by M. It
    describes the hypotheses at hand; this function estimates the distribution they are drawn from.

    Raises:
        ValueError: M is 1.
    """
    require_several(hypotheses)
    return hypotheses.var(-4, correction=1).sum(-1)


def squared_error_of_mean(hypotheses: Tensor, target: Tensor) -> Tensor:
    """Return the squared distance of the mean hypothesis from the truth, ‖h̄ - y‖², (…, T, K)."""
    return (hypotheses.mean(-4) - target).square().sum(-1)


def error_to_spread(squared_error: float, squared_spread: float, num_hypotheses: int) -> float:
    """Return how many times larger the error is than the spread claims: sqrt(k² / ((1 + 1/M) · s²)).

    If truth and hypotheses come from one distribution, E k² = (1 + 1/M) · E s², so the value is 1 at every M (Fortin et
    al., Journal of Hydrometeorology 15, 2014). Above 1: too narrow, overconfident; a sampler that is f times too narrow
    has sqrt((M · f² + 1) / (M + 1)). Below 1: too wide. Its inverse is called spread-skill ratio.

    Args:
        squared_error: Mean or sum of :func:`squared_error_of_mean` over frames and joints.
        squared_spread: That of :func:`squared_spread` over the same frames and joints.
        num_hypotheses: M.

    Returns:
        Infinity where the hypotheses are all equal but wrong; NaN where both are 0 or NaN.

    Raises:
        ValueError: M is 1.
    """
    _require_number(num_hypotheses)
    with np.errstate(divide='ignore', invalid='ignore'):
        claimed = (1 + 1 / num_hypotheses) * np.float64(squared_spread)
        return float(np.sqrt(np.float64(squared_error) / claimed))


def require_several(hypotheses: Tensor) -> None:
    """Refuse fewer than two hypotheses.

    Raises:
        ValueError: ``hypotheses`` is not (…, M, T, K, 3) with M of 2 or more.
    """
    if hypotheses.ndim < 4 or hypotheses.shape[-1] != 3:
        raise ValueError(f'hypotheses must be (…, M, T, K, 3), got {tuple(hypotheses.shape)}')
    _require_number(hypotheses.shape[-4])


def _require_number(num_hypotheses: int) -> None:
    if num_hypotheses < 2:
        raise ValueError(f'the spread of hypotheses needs M >= 2 of them, got M = {num_hypotheses}')
