"""Paired bootstrap over videos for the difference of two results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posediff.evaluation.posetrack.evaluator import PoseTrackEvaluator


@dataclass(frozen=True)
class Difference:
    """Average precision of one result minus that of another, in percentage points.

    Attributes:
        value: Difference on all sequences.
        low, high: Bounds of the interval that contains 95 % of the draws.
    """

    value: float
    low: float
    high: float


def bootstrap_differences(
    baseline: PoseTrackEvaluator, others: Sequence[PoseTrackEvaluator], draws: int = 1000, seed: int = 0
) -> list[dict[str, Difference]]:
    """Compare results on the same sequences by a paired bootstrap (Efron and Tibshirani, 1993).

    Each draw samples sequences with replacement, as many as there are, and evaluates all results on them. Frames and
    persons of one video are too correlated to be sampled individually. The interval does not cover the variation
    between training runs.

    Args:
        baseline: Reference result.
        others: Evaluators with the same sequences added in the same order.
        draws: Number of draws, at least 100.
        seed: Seed of the draws.

    Returns:
        For each of ``others``, the differences per group of joints and of the ``Mean``; NaN where an AP is NaN.

    Raises:
        ValueError: Numbers of sequences differ or are below two, or ``draws`` is below 100.
    """
    number = baseline.num_sequences
    if number < 2:
        raise ValueError(f'a bootstrap needs two sequences or more, got {number}')
    if draws < 100:
        raise ValueError(f'draws must be at least 100, got {draws}')
    for other in others:
        if other.num_sequences != number:
            raise ValueError(f'results of {other.num_sequences} and of {number} sequences cannot be compared')
    generator = np.random.default_rng(seed)
    evaluators = [baseline, *others]
    drawn = np.array([_groups(evaluators, generator.integers(number, size=number)) for _ in range(draws)])
    exact = _groups(evaluators, np.arange(number))
    names = list(baseline.result().groups('ap'))
    low, high = np.quantile(drawn[:, 1:] - drawn[:, :1], [0.025, 0.975], axis=0)
    return [
        {
            name: Difference(float(exact[index + 1, group] - exact[0, group]), low[index, group], high[index, group])
            for group, name in enumerate(names)
        }
        for index in range(len(others))
    ]


def _groups(evaluators: Sequence[PoseTrackEvaluator], sequences: np.ndarray) -> np.ndarray:
    """Return the AP of each evaluator per group, (E, 8)."""
    return np.array([list(evaluator.result(sequences.tolist()).groups('ap').values()) for evaluator in evaluators])
