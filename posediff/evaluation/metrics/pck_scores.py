"""How well keypoint scores and the spread of hypotheses describe the errors of keypoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from posediff.evaluation.metrics.pck_people import People
from posediff.evaluation.score_calibration import (
    expected_calibration_error,
    fit_score_calibration,
    quantile_groups,
    reliability_bins,
)
from posediff.evaluation.spread import rank_correlation, spread_bins


class ScoreReport:
    """Scores and spreads of the counted keypoints against their errors.

    Args:
        people: P people with K joints.
        counted: (P, K) bool, which keypoints count.
        distances: (P, K) errors in units of ``lengths``; infinite for people without a length.
        lengths: (P,) px; 0 for people without a length, who do not count.
        threshold: A keypoint is correct if its distance is below it.
    """

    def __init__(
        self, people: People, counted: np.ndarray, distances: np.ndarray, lengths: np.ndarray, threshold: float
    ) -> None:
        self.people, self.distances, self.lengths = people, distances, lengths
        self.valid = counted & np.isfinite(distances)
        self.correct = distances < threshold
        self.bins = reliability_bins(people.scores[self.valid], self.correct[self.valid])

    @property
    def calibration_error(self) -> float | None:
        """Expected calibration error of the scores, 0 … 1."""
        return expected_calibration_error(self.bins)

    def to_dict(self, joints: Sequence[str]) -> dict[str, Any]:
        """Return the measures for a file.

        Args:
            joints: (K,) names.

        Returns:
            ``bins``: reliability of the scores; ``score_knots``: the map fitted to these keypoints, pairs (score,
            probability), as ``HeatmapHead`` takes it; ``errors``: mean error by score, in units of the length;
            ``spread``: error by spread of the hypotheses, over all joints and per joint, or None if a person has no
            hypotheses.
        """
        knots: list[tuple[float, float]] = []
        if self.valid.any():
            calibration = fit_score_calibration(self.people.scores[self.valid], self.correct[self.valid])
            knots = list(zip(calibration.scores, calibration.probabilities, strict=True))
        return {
            'bins': [dataclasses.asdict(one) for one in self.bins],
            'score_knots': knots,
            'errors': self._errors(),
            'spread': self._spread(joints) if np.isfinite(self.people.spread).all() else None,
        }

    def _errors(self, num_groups: int = 20) -> list[dict[str, float]]:
        """Return mean score, error in units of the length, and accuracy of groups of about as many keypoints each."""
        scores, errors, correct = (values[self.valid] for values in (self.people.scores, self.distances, self.correct))
        return [
            {
                'count': len(group),
                'score': float(scores[group].mean()),
                'error': float(errors[group].mean()),
                'accuracy': float(correct[group].mean()),
            }
            for group in (quantile_groups(scores, num_groups) if len(scores) else ())
        ]

    def _spread(self, joints: Sequence[str]) -> dict[str, Any]:
        """Return the error by spread, both in units of the length."""
        measured = self.lengths > 0
        spread = np.zeros_like(self.people.spread)
        spread[measured] = self.people.spread[measured] / self.lengths[measured, None]
        outside = self.people.annotated & ~self.people.inside & measured[:, None]
        of_joint = {}
        for column, joint in enumerate(joints):
            rows, away = self.valid[:, column], outside[:, column]
            of_joint[joint] = {
                'count': int(rows.sum()),
                'spread': _mean(spread[rows, column]),
                'error': _mean(self.distances[rows, column]),
                'rank_correlation': rank_correlation(spread[rows, column], self.distances[rows, column]),
                'count_outside_picture': int(away.sum()),
                'spread_outside_picture': _mean(spread[away, column]),
            }
        valid = spread[self.valid], self.distances[self.valid], self.correct[self.valid]
        return {'bins': spread_bins(*valid), 'joints': of_joint}


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
