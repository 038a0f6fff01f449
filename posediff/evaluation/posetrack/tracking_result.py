"""Figures of pose tracking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.structures.posetrack_joints import EVALUATED_JOINTS, GROUPS

MEASURES = ('mota', 'motp', 'mot_precision', 'mot_recall', 'hota', 'deta', 'assa')


@dataclass(frozen=True)
class TrackingResult:
    """Tracking figures in percent; NaN where undefined.

    Attributes:
        figures: (16,) for each of :data:`MEASURES`: joints in the order of
            :data:`~posediff.structures.posetrack_joints.EVALUATED_JOINTS`, then the total.
        num_switches: (15,) int64, identity switches of each joint.
    """

    figures: dict[str, np.ndarray]
    num_switches: np.ndarray

    def total(self, measure: str) -> float:
        """Return the total: the mean over joints; for HOTA, DetA and AssA the value of all joints counted together."""
        return float(self.figures[measure][-1])

    def groups(self, measure: str) -> dict[str, float]:
        """Return the means over groups of joints, and ``Mean``, the total; NaN if a joint of the group is NaN."""
        values = dict(zip(EVALUATED_JOINTS, self.figures[measure].tolist(), strict=False))
        means = {group: float(np.mean([values[name] for name in names])) for group, names in GROUPS.items()}
        return {**means, 'Mean': self.total(measure)}
