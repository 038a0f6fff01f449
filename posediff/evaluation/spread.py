"""Spread of hypotheses as an estimate of the error of keypoints.

Shapes: S keypoints.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from posediff.evaluation.score_calibration import quantile_groups


def spread_bins(
    spreads: np.ndarray, errors: np.ndarray, correct: np.ndarray, num_bins: int = 10
) -> list[dict[str, float]]:
    """Return the mean error of keypoints of similar spread.

    Args:
        spreads: (S,) spread of the hypotheses, see :func:`posediff.evaluation.hypotheses.hypothesis_spread`.
        errors: (S,) distance from the annotation, in the unit of ``spreads``.
        correct: (S,), nonzero where the keypoint is correct.
        num_bins: Largest number of bins; they have about equal numbers of keypoints, in increasing order of the spread.

    Returns:
        Per bin ``count``, mean ``spread``, mean ``error`` and ``accuracy``, the share of correct keypoints; no bin for
        no keypoint.
    """
    if not len(spreads):
        return []
    spreads, errors, correct = np.asarray(spreads, float), np.asarray(errors, float), np.asarray(correct) != 0
    return [
        {
            'count': len(group),
            'spread': float(spreads[group].mean()),
            'error': float(errors[group].mean()),
            'accuracy': float(correct[group].mean()),
        }
        for group in quantile_groups(spreads, num_bins)
    ]


def rank_correlation(spreads: np.ndarray, errors: np.ndarray) -> float | None:
    """Return Spearman's rank correlation of spread and error, -1 … 1; None where one of them has a single value."""
    if len(np.unique(spreads)) < 2 or len(np.unique(errors)) < 2:
        return None
    return float(spearmanr(spreads, errors).statistic)
