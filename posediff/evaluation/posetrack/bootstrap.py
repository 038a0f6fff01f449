"""Paired bootstrap over videos for the difference of two average precisions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.evaluation.bootstrap import Difference, paired_bootstrap
from posediff.evaluation.posetrack.evaluator import PoseTrackEvaluator


def bootstrap_differences(
    baseline: PoseTrackEvaluator, others: Sequence[PoseTrackEvaluator], draws: int = 1000, seed: int = 0
) -> list[dict[str, Difference]]:
    """Compare results on the same sequences, see :func:`posediff.evaluation.bootstrap.paired_bootstrap`.

    Args:
        baseline: Reference result.
        others: Evaluators with the same sequences added in the same order.
        draws: Number of draws, at least 100.
        seed: Seed of the draws.

    Returns:
        For each of ``others``, the differences of average precision in percentage points, per group of joints and of
        the ``Mean``; NaN where an AP is NaN.

    Raises:
        ValueError: Numbers of sequences differ or are below two, or ``draws`` is below 100.
    """
    number = baseline.num_sequences
    for other in others:
        if other.num_sequences != number:
            raise ValueError(f'results of {other.num_sequences} and of {number} sequences cannot be compared')
    evaluators = [baseline, *others]
    names = list(baseline.result().groups('ap'))
    differences = paired_bootstrap(number, lambda sequences: _groups(evaluators, sequences), draws, seed)
    return [dict(zip(names, of_result, strict=True)) for of_result in differences]


def _groups(evaluators: Sequence[PoseTrackEvaluator], sequences: np.ndarray) -> np.ndarray:
    """Return the AP of each evaluator per group, (E, 8)."""
    return np.array([list(evaluator.result(sequences.tolist()).groups('ap').values()) for evaluator in evaluators])
