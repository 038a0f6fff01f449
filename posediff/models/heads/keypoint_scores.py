"""Scores of keypoints from heatmaps, and from the spread of hypotheses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.structures.argument_checks import require_one_of

MEASURES = ('maximum', 'spread')
HALF = 0.01
"""Spread that halves the certainty, in heights of the crop."""


class KeypointScores:
    """A map from a measure of certainty to scores.

    Args:
        owner: Name of the head, for error messages.
        measure: ``'maximum'``: the maximum of the mean heatmap. ``'spread'``: 1 / (1 + s / 0.01), s being the
            :func:`spread` of the hypotheses' keypoints divided by the height of the crop; it needs at least 2
            hypotheses.
        knots: Pairs (measure, score) with ascending measures and scores, between which the score is interpolated
            linearly; outside of them it is constant. ``KeypointPCK`` fits them on clips that were not trained on
            (``scores.score_knots`` of its ``out_file``): a score is then the share of keypoints that are correct. None:
            scores are the measure itself.

    Raises:
        ValueError: The measure is unknown, or the knots are not finite, not ascending, or have scores outside [0, 1].
    """

    def __init__(self, owner: str, measure: str = 'maximum', knots: Sequence[Sequence[float]] | None = None) -> None:
        require_one_of(owner, 'score', measure, MEASURES)
        self.owner = owner
        self.measure = measure
        self.knots = None if knots is None else np.asarray(knots, dtype=np.float64)
        if self.knots is None:
            return
        if self.knots.ndim != 2 or self.knots.shape[1] != 2 or not np.isfinite(self.knots).all():
            raise ValueError(f'{owner}: score_knots must be pairs of finite numbers, got {knots}')
        measures, scores = self.knots.T
        if not (np.diff(measures) > 0).all() or not (np.diff(scores) >= 0).all():
            raise ValueError(f'{owner}: score_knots must have ascending measures and scores, got {knots}')
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError(f'{owner}: score_knots must have scores in [0, 1], got {knots}')

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
                raise ValueError(f"{self.owner}: score 'spread' needs test_cfg.num_hypotheses of at least 2")
            measured = 1 / (1 + spread(hypotheses) / (HALF * height))
        if self.knots is not None:
            measured = np.interp(measured, *self.knots.T)
        return np.asarray(measured, dtype=np.float32)


def spread(hypotheses: np.ndarray) -> np.ndarray:
    """Return the standard deviation of keypoints (M, K, D), M at least 2, over all D directions, (K,).

    Squares are divided by M - 1, so that they are on average the same for any number of hypotheses.
    """
    return np.sqrt(((hypotheses - hypotheses.mean(0)) ** 2).sum(-1).sum(0) / (len(hypotheses) - 1))
