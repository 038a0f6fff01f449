"""Scores of keypoints from heatmaps, and from the spread of hypotheses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.structures.argument_checks import require_one_of

MEASURES = ('maximum', 'spread')


class KeypointScores:
    """A map from a measure of certainty to scores.

    Args:
        measure: ``'maximum'``: the maximum of the mean heatmap. ``'spread'``: the root mean square distance of the
            hypotheses' keypoints from their mean, divided by the height of the crop; it needs at least 2 hypotheses.
        knots: Pairs (measure, score) with ascending measures, between which the score is interpolated linearly; outside
            of them it is constant. Fitted on clips that were not trained on, a score is the share of keypoints that are
            right (:mod:`posediff.evaluation.score_calibration`). None: scores are the measure itself, which
            ``'spread'`` does not allow.

    Raises:
        ValueError: The measure is unknown, or the knots are missing, not ascending, or have scores outside [0, 1].
    """

    def __init__(self, measure: str = 'maximum', knots: Sequence[tuple[float, float]] | None = None) -> None:
        require_one_of('HeatmapHead', 'score', measure, MEASURES)
        self.measure = measure
        self.knots = None if knots is None else np.asarray(knots, dtype=np.float64)
        if self.knots is None:
            if measure == 'spread':
                raise ValueError("HeatmapHead: score 'spread' needs score_knots, which map a spread to a score")
            return
        if self.knots.ndim != 2 or self.knots.shape[1] != 2 or not (np.diff(self.knots[:, 0]) > 0).all():
            raise ValueError(f'HeatmapHead: score_knots must be pairs with ascending measures, got {knots}')
        if not ((self.knots[:, 1] >= 0) & (self.knots[:, 1] <= 1)).all():
            raise ValueError(f'HeatmapHead: score_knots must have scores in [0, 1], got {knots}')

    @property
    def needs_hypotheses(self) -> bool:
        """Whether :meth:`__call__` needs keypoints of every hypothesis."""
        return self.measure == 'spread'

    def __call__(self, maxima: np.ndarray, hypotheses: np.ndarray | None, height: float) -> np.ndarray:
        """Return scores (K,) float32.

        Args:
            maxima: (K,), maxima of the mean heatmap.
            hypotheses: (M, K, 2) px of the crop, if :attr:`needs_hypotheses`.
            height: Height of the crop, px.

        Raises:
            ValueError: There are fewer than 2 hypotheses.
        """
        measured = maxima
        if self.needs_hypotheses:
            if hypotheses is None or len(hypotheses) < 2:
                raise ValueError("HeatmapHead: score 'spread' needs test_cfg.num_hypotheses of at least 2")
            measured = spread(hypotheses) / height
        if self.knots is not None:
            measured = np.interp(measured, *self.knots.T)
        return np.asarray(measured, dtype=np.float32)


def spread(hypotheses: np.ndarray) -> np.ndarray:
    """Return the root mean square distance of keypoints (M, K, D) from their mean, (K,)."""
    return np.sqrt(((hypotheses - hypotheses.mean(0)) ** 2).sum(-1).mean(0))
