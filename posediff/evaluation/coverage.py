"""How often intervals of M hypotheses contain the truth, and the calibration error that follows.

Shapes: ``hypotheses`` (…, M, T, K, 3), ``target`` (…, T, K, 3), both aligned at the root by the caller. G
probabilities. M hypotheses say little about a distribution: a perfect sampler, whose hypotheses and truth come from one
distribution, misses the nominal values too. Each measure has a function for that sampler's value, to be printed beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from posediff.evaluation.spread_skill import require_several

PROBABILITIES = tuple(step / 20 for step in range(21))
"""Probabilities 0, 0.05 … 1 of the calibration error."""


def radial_coverage(hypotheses: Tensor, target: Tensor, probabilities: Sequence[float] = PROBABILITIES) -> Tensor:
    """Return whether the truth is inside the sphere around the median hypothesis that holds a share of the hypotheses.

    As in cGNF (Pierzchlewicz et al., arXiv 2210.11179): the centre is the coordinate-wise median, the radius the linear
    quantile of the hypotheses' distances from it, and the truth must be strictly nearer. A perfect
    sampler has :func:`expected_radial_coverage`.

    Returns:
        (…, T, K, G) bool.

    Raises:
        ValueError: M is 1.
    """
    require_several(hypotheses)
    centre = _quantile(hypotheses.sort(-4).values, 0.5, dim=-4)
    radii = torch.linalg.vector_norm(hypotheses - centre.unsqueeze(-4), dim=-1).sort(-3).values
    distance = torch.linalg.vector_norm(target - centre, dim=-1)
    return torch.stack([_quantile(radii, share, dim=-3) > distance for share in probabilities], dim=-1)


def axis_coverage(hypotheses: Tensor, target: Tensor, probability: float) -> Tensor:
    """Return whether each coordinate of the truth is inside the central interval of a probability, (…, T, K, 3) bool.

    The bounds are the quantiles at (1 ± probability) / 2 with the plotting position p · (M + 1), 'weibull' in NumPy:
    between the order statistics i and j of M draws is a share (j - i) / (M + 1) of the distribution, whatever it is, so
    a perfect sampler has the nominal coverage as soon as M >= (1 + probability) / (1 - probability), 19 for 0.9. Below,
    the interval is the range of the hypotheses and :func:`expected_axis_coverage` is less.

    Raises:
        ValueError: M is 1, or ``probability`` is not in (0, 1).
    """
    require_several(hypotheses)
    low, high = _ranks_of_interval(probability, hypotheses.shape[-4])
    ordered = hypotheses.sort(-4).values
    return (_at_rank(ordered, low, dim=-4) <= target) & (target <= _at_rank(ordered, high, dim=-4))


def expected_axis_coverage(num_hypotheses: int, probability: float) -> float:
    """Return the :func:`axis_coverage` of a perfect sampler.

    Exact where the bounds are whole order statistics or the range. Between them the interpolation covers a little more
    of a normal distribution: 0.53 instead of 0.5 at M = 5, less than 0.005 too much from M = 20 on.
    """
    low, high = _ranks_of_interval(probability, num_hypotheses)
    return (high - low) / (num_hypotheses + 1)


def truth_ranks(hypotheses: Tensor, target: Tensor, axis: int = 2) -> Tensor:
    """Return how many hypotheses have a smaller coordinate than the truth, 0 … M, (…, T, K) int64.

    The histogram of ranks is flat for a perfect sampler, U-shaped if hypotheses are too narrow, and tilted if they are
    biased. A hypothesis equal to the truth counts as half; the sum is rounded down.

    Args:
        axis: Coordinate; 2 is the depth.

    Raises:
        ValueError: M is 1.
    """
    require_several(hypotheses)
    drawn, truth = hypotheses[..., axis], target[..., axis].unsqueeze(-3)
    return (2 * (drawn < truth).sum(-3) + (drawn == truth).sum(-3)) // 2


def calibration_error(
    coverage: np.ndarray, probabilities: Sequence[float] = PROBABILITIES, axis: int | None = 0
) -> float:
    """Return the expected calibration error: mean over probabilities of |median over joints of coverage - probability|.

    0 … about 0.5, the latter for hypotheses that are all equal. The median over joints hides a few bad joints, and the
    sphere hides errors of shape.

    Args:
        coverage: (K, G) share of frames in which the sphere holds the truth, joints without frames left out; see
            :func:`radial_coverage`.
        probabilities: (G,).
        axis: Axis of the joints; None for ``coverage`` (G,) that is already pooled.
    """
    pooled = coverage if axis is None else np.median(coverage, axis=axis)
    return float(np.abs(pooled - np.asarray(probabilities)).mean())


@lru_cache(maxsize=32)
def expected_radial_coverage(
    num_hypotheses: int, depth_ratio: float = 3.0, draws: int = 20_000, seed: int = 0
) -> np.ndarray:
    """Return the :func:`radial_coverage` of a perfect sampler at :data:`PROBABILITIES`, by simulation, (G,).

    Truth and hypotheses are drawn from one normal distribution. The standard error is below 0.004.

    Args:
        num_hypotheses: M.
        depth_ratio: Standard deviation of the third axis in units of the others'. Lifters are about three times less
            certain of depth; the value depends little on it.
        draws: Number of simulated frames.
        seed: Seed of the simulation.

    Raises:
        ValueError: M is 1.
    """
    generator = torch.Generator().manual_seed(seed)
    held = np.zeros(len(PROBABILITIES))
    for start in range(0, draws, 1000):
        rows = min(1000, draws - start)
        sample = torch.randn(num_hypotheses + 1, rows, 1, 3, generator=generator, dtype=torch.float64)
        sample[..., 2] *= depth_ratio
        held += radial_coverage(sample[1:], sample[0]).sum((0, 1)).numpy()
    held /= draws
    held.flags.writeable = False  # the array is shared by all callers
    return held


def calibration_error_floor(num_hypotheses: int) -> float:
    """Return the :func:`calibration_error` of a perfect sampler with M hypotheses and many frames.

    About 0.14, 0.07, 0.04, 0.015, 0.005 for M = 5, 10, 20, 50, 200: a value means something only relative to it.
    """
    return calibration_error(expected_radial_coverage(num_hypotheses), axis=None)


def _quantile(ordered: Tensor, probability: float, dim: int) -> Tensor:
    """Return the linear quantile, NumPy's default, of values that are sorted along ``dim``."""
    return _at_rank(ordered, 1 + probability * (ordered.shape[dim] - 1), dim)


def _at_rank(ordered: Tensor, rank: float, dim: int) -> Tensor:
    """Return the order statistic of a rank, 1 … M, of sorted values, linear between whole ranks."""
    below = min(int(rank), ordered.shape[dim])
    part = rank - below
    value = ordered.select(dim, below - 1)
    return value if part == 0 else torch.lerp(value, ordered.select(dim, below), part)


def _ranks_of_interval(probability: float, num_hypotheses: int) -> tuple[float, float]:
    if not 0 < probability < 1:
        raise ValueError(f'the probability of an interval must be between 0 and 1, got {probability}')
    low = max(1.0, (1 - probability) / 2 * (num_hypotheses + 1))
    return low, num_hypotheses + 1 - low
