"""The figures of pose tracking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.structures.posetrack_joints import EVALUATED_JOINTS, GROUPS

MEASURES = ('mota', 'motp', 'mot_precision', 'mot_recall', 'hota', 'deta', 'assa')


@dataclass(frozen=True)
class TrackingResult:
    """The figures, in percent; NaN where there is none.

    Attributes:
        figures: (16,) of each of :data:`MEASURES`, joints in the order of
            :data:`~posediff.structures.posetrack_joints.EVALUATED_JOINTS` and the total.
        num_switches: (15,) int64, how often a joint changed its predicted track.
    """

    figures: dict[str, np.ndarray]
    num_switches: np.ndarray

    def total(self, measure: str) -> float:
        """Of all joints: their mean, but for HOTA and its two parts that of all joints counted together."""
        return float(self.figures[measure][-1])

    def groups(self, measure: str) -> dict[str, float]:
        """Means over the groups of joints, and ``Mean``, which is the total; NaN where one of a group is NaN."""
        values = dict(zip(EVALUATED_JOINTS, self.figures[measure].tolist(), strict=False))
        means = {group: float(np.mean([values[name] for name in names])) for group, names in GROUPS.items()}
        return {**means, 'Mean': self.total(measure)}
