"""Calibration of keypoint scores: how far a score is the probability that its keypoint is correct.

Shapes: S keypoints with a score and a truth value, correct or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression


@dataclass(frozen=True)
class ReliabilityBin:
    """Keypoints whose scores are close to each other.

    Attributes:
        low, high: Range of the scores; ``low`` is included, ``high`` only in the last bin.
        count: Number of keypoints.
        score: Mean score.
        accuracy: Share of correct keypoints, 0 … 1.
    """

    low: float
    high: float
    count: int
    score: float
    accuracy: float


@dataclass(frozen=True)
class ScoreCalibration:
    """Piecewise linear, non-decreasing map from scores to probabilities; constant below and above its knots.

    Its two lists are plain numbers, which a config or a checkpoint can contain.

    Attributes:
        scores: Scores at the knots, increasing.
        probabilities: Probabilities there, 0 … 1, non-decreasing.

    Raises:
        ValueError: The lists are empty, of different length, not finite or not in order.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        scores, probabilities = np.array(self.scores, float), np.array(self.probabilities, float)
        if not len(scores) or scores.shape != probabilities.shape:
            raise ValueError(
                f'a calibration needs as many scores as probabilities, got {len(scores)} and {len(probabilities)}'
            )
        if not np.isfinite(scores).all() or not (np.diff(scores) > 0).all():
            raise ValueError(f'scores of a calibration must be finite and increase, got {self.scores}')
        within = (probabilities >= 0) & (probabilities <= 1)
        if not within.all() or not (np.diff(probabilities) >= 0).all():
            raise ValueError(f'probabilities of a calibration must not decrease from 0 to 1, got {self.probabilities}')

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities of scores, float64 of the same shape."""
        return np.interp(np.asarray(scores, float), self.scores, self.probabilities)


def reliability_bins(scores: np.ndarray, correct: np.ndarray, num_bins: int = 10) -> list[ReliabilityBin]:
    """Group keypoints into bins of equal width from 0 to 1, the points of a reliability curve.

    Args:
        scores: (S,) finite. Maxima of heatmaps may be slightly outside 0 … 1: they are in the first or the last bin,
            and their values count unchanged in its mean.
        correct: (S,), nonzero where the keypoint is correct.
        num_bins: Number of bins.

    Returns:
        The bins that contain a keypoint, in order.

    Raises:
        ValueError: Shapes do not match, or a score is not finite.
    """
    scores, correct = _checked(scores, correct)
    index = np.clip(np.floor(scores * num_bins), 0, num_bins - 1).astype(int)
    bins = []
    for number in np.unique(index):
        inside = index == number
        low, high = float(number / num_bins), float((number + 1) / num_bins)
        mean, accuracy = float(scores[inside].mean()), float(correct[inside].mean())
        bins.append(ReliabilityBin(low, high, int(inside.sum()), mean, accuracy))
    return bins


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float | None:
    """Return the mean of |accuracy - mean score| over keypoints, 0 … 1 (Guo et al., ICML 2017); None without keypoints.

    Args:
        bins: See :func:`reliability_bins`. The value depends on their number.
    """
    count = sum(one.count for one in bins)
    return sum(one.count * abs(one.accuracy - one.score) for one in bins) / count if count else None


def fit_score_calibration(scores: np.ndarray, correct: np.ndarray, num_knots: int = 10) -> ScoreCalibration:
    """Fit a monotone map from scores to the probability that a keypoint is correct.

    Keypoints are divided at quantiles of the scores into groups of about equal size; equal scores stay together. The
    shares of correct keypoints of the groups are made monotone by the pool-adjacent-violators algorithm with the
    groups' sizes as weights. Each group is a knot at its mean score.

    Args:
        scores: (S,) finite, any range.
        correct: (S,), nonzero where the keypoint is correct.
        num_knots: Largest number of knots.

    Raises:
        ValueError: Shapes do not match, there is no keypoint, a score is not finite, or ``num_knots`` is below 1.
    """
    scores, correct = _checked(scores, correct)
    if not len(scores):
        raise ValueError('a calibration cannot be fitted to no keypoint')
    if num_knots < 1:
        raise ValueError(f'num_knots must be at least 1, got {num_knots}')
    groups = quantile_groups(scores, num_knots)
    # A rounded mean of equal scores can lie outside of them; clipped, the knots increase.
    means = [float(np.clip(scores[group].mean(), scores[group].min(), scores[group].max())) for group in groups]
    shares = np.array([correct[group].mean() for group in groups])
    fitted = isotonic_regression(shares, weights=[len(group) for group in groups]).x
    return ScoreCalibration(tuple(means), tuple(np.clip(fitted, 0, 1).tolist()))


def quantile_groups(values: np.ndarray, num_groups: int) -> list[np.ndarray]:
    """Divide values at their quantiles into at most ``num_groups`` groups of about equal size.

    Args:
        values: (S,), at least one.
        num_groups: Largest number of groups.

    Returns:
        Indices of each group, groups in increasing order of their values; equal values are in one group.
    """
    edges = np.unique(np.quantile(values, np.linspace(0, 1, num_groups + 1)[1:-1]))
    index = np.searchsorted(edges, values, side='right')
    return [np.flatnonzero(index == number) for number in np.unique(index)]


def _checked(scores: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores, correct = np.asarray(scores, float), np.asarray(correct) != 0
    if scores.ndim != 1 or scores.shape != correct.shape:
        raise ValueError(f'scores {scores.shape} and correct {correct.shape} are not both (S,)')
    if not np.isfinite(scores).all():
        raise ValueError(f'a score is {scores[~np.isfinite(scores)][0]}')
    return scores, correct
