"""Average precision, precision and recall from scores and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from posediff.evaluation.posetrack.tracking_result import MEASURES as TRACKING_MEASURES
from posediff.evaluation.posetrack.tracking_result import TrackingResult
from posediff.structures.posetrack_joints import EVALUATED_JOINTS, GROUPS


@dataclass(frozen=True)
class PoseTrackResult:
    """Figures per joint in percent; NaN where undefined.

    Attributes:
        ap, precision, recall: (15,), in the order of
            :data:`~posediff.structures.posetrack_joints.EVALUATED_JOINTS`. Precision and recall are of all predictions,
            regardless of score.
        num_true, num_predicted, num_right: (15,) int64, numbers of annotated, predicted and correct joints.
        tracking: Tracking figures, if evaluated.
    """

    ap: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    num_true: np.ndarray
    num_predicted: np.ndarray
    num_right: np.ndarray
    tracking: TrackingResult | None = None

    def total(self, measure: str) -> float:
        """Return the mean of ``'ap'``, ``'precision'`` or ``'recall'`` over the joints without NaN (as in papers)."""
        values = getattr(self, measure)
        there = values[~np.isnan(values)]
        return float(there.mean()) if len(there) else float('nan')

    def groups(self, measure: str) -> dict[str, float]:
        """Return the means over groups of joints, and ``Mean``, the total; NaN if a joint of the group is NaN."""
        values = dict(zip(EVALUATED_JOINTS, getattr(self, measure).tolist(), strict=True))
        means = {group: float(np.mean([values[name] for name in names])) for group, names in GROUPS.items()}
        return {**means, 'Mean': self.total(measure)}

    def to_dict(self) -> dict[str, Any]:
        """Return the content of a result file; NaN becomes None."""
        measures = ('ap', 'precision', 'recall')
        document: dict[str, Any] = {'names': [*EVALUATED_JOINTS, 'total']}
        for measure in measures:
            document[measure] = _without_nan([*getattr(self, measure).tolist(), self.total(measure)])
        groups = {measure: self.groups(measure) for measure in measures}
        document['groups'] = {'names': list(groups['ap'])}
        for measure, means in groups.items():
            document['groups'][measure] = _without_nan(list(means.values()))
        if self.tracking is not None:
            for measure in TRACKING_MEASURES:
                document[measure] = _without_nan(self.tracking.figures[measure].tolist())
                document['groups'][measure] = _without_nan(list(self.tracking.groups(measure).values()))
            document['num_switches'] = [*self.tracking.num_switches.tolist(), int(self.tracking.num_switches.sum())]
        return document


def _without_nan(values: list[float]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values]


def average_precision(
    scores: np.ndarray, labels: np.ndarray, num_true: float, least_true: float = 0.0
) -> tuple[float, float, float]:
    """Return average precision, precision and recall of one joint over all predictions.

    Average precision is the area under the precision-recall curve. The precision at each rank is the largest at this or
    any later rank.

    Args:
        scores: (P,) of all predictions of a joint. NaN ranks first; of equal scores the later one ranks first.
        labels: (P,) bool, whether the prediction is correct.
        num_true: Number of true joints.
        least_true: Lower bound of the denominator of recall. For 0 of 0, average precision and recall are NaN.

    Returns:
        Average precision, and precision and recall of all predictions; in [0, 1]. All 0 if there is no prediction.
    """
    if not len(scores):
        return 0.0, 0.0, 0.0
    order = np.argsort(scores, kind='stable')[::-1]
    num_right = np.cumsum(labels[order], dtype=np.float64)
    precision = num_right / np.arange(1, len(order) + 1)
    with np.errstate(invalid='ignore', divide='ignore'):
        recall = num_right / max(num_true, least_true)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    area = float((np.diff(recall, prepend=0.0) * envelope).sum())
    return area, float(precision[-1]), float(recall[-1])
