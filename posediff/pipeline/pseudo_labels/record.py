"""Counts of what became a label and what did not, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from posediff.pipeline.pseudo_labels.rules import Verdict


def _no_counts() -> dict[str, int]:
    return {verdict.value: 0 for verdict in Verdict}


@dataclass
class LabelRecord:
    """Counts of one video or of several.

    Attributes:
        frames: Frames of the videos.
        people: Tracked persons, counted in every frame.
        people_labelled: Those with a label.
        keypoints: Keypoints of the tracked persons, by :class:`Verdict`.
        joints: Name of a joint → kept keypoints and all keypoints of it.
    """

    frames: int = 0
    people: int = 0
    people_labelled: int = 0
    keypoints: dict[str, int] = field(default_factory=_no_counts)
    joints: dict[str, list[int]] = field(default_factory=dict)

    def add_track(self, verdicts: np.ndarray, joint_names: Sequence[str]) -> None:
        """Add the verdicts (F, K) on a person."""
        kept = verdicts == Verdict.KEPT
        self.people += len(verdicts)
        self.people_labelled += int(kept.any(1).sum())
        for verdict in Verdict:
            self.keypoints[verdict.value] += int((verdicts == verdict).sum())
        for name, count in zip(joint_names, kept.sum(0).tolist(), strict=True):
            before = self.joints.get(name, [0, 0])
            self.joints[name] = [before[0] + count, before[1] + len(verdicts)]

    def as_json(self) -> dict[str, Any]:
        """Return the counts as values for JSON."""
        return dict(vars(self))

    def lines(self) -> list[str]:
        """Return a report."""
        total = sum(self.keypoints.values())
        kept = self.keypoints[Verdict.KEPT.value]
        found = [
            f'{self.frames} frames, {self.people_labelled} of {self.people} people in them labelled',
            f'{kept} of {total} keypoints kept{_share(kept, total)}; not kept:',
        ]
        reasons = [verdict.value for verdict in Verdict if verdict is not Verdict.KEPT]
        found += [f'  {self.keypoints[name]} {name}{_share(self.keypoints[name], total)}' for name in reasons]
        shares = [f'{name}{_share(*counts)}' for name, counts in self.joints.items()]
        return [*found, f'kept by joint: {", ".join(shares)}'] if shares else found


def total(records: Iterable[dict[str, Any]]) -> LabelRecord:
    """Return the sum of records, as :meth:`LabelRecord.as_json` returned them."""
    summed = LabelRecord()
    for record in records:
        for name in ('frames', 'people', 'people_labelled'):
            setattr(summed, name, getattr(summed, name) + record[name])
        for name, count in record['keypoints'].items():
            summed.keypoints[name] += count
        for name, counts in record['joints'].items():
            before = summed.joints.get(name, [0, 0])
            summed.joints[name] = [before[0] + counts[0], before[1] + counts[1]]
    return summed


def _share(part: int, whole: int) -> str:
    return f' ({100 * part / whole:.1f} %)' if whole else ''
