"""What one file says, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Region = tuple[list[float], list[float]]
"""x and y, in px, of the vertices of a polygon."""


@dataclass
class Persons:
    """The persons of a sequence, frame by frame, in the order of the file.

    Attributes:
        frame: (N,) int64, position of the person's frame in the sequence; never falls.
        points: (N, 15, 2) px, in the order of :data:`~posediff.structures.posetrack_joints.EVALUATED_JOINTS`; of no
            meaning where ``exists`` is False.
        exists: (N, 15) bool.
        scores: (N, 15) float64, any range; of no meaning for ground truth.
        head_sizes: (N,) px; NaN for predictions.
        lacks_head: (N,) bool, whether there is no head box to take the size of.
        track_ids: N of them; None where there is none.
    """

    frame: np.ndarray
    points: np.ndarray
    exists: np.ndarray
    scores: np.ndarray
    head_sizes: np.ndarray
    lacks_head: np.ndarray
    track_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, wanted: np.ndarray) -> Persons:
        """Those of a mask (N,)."""
        return Persons(*(getattr(self, name)[wanted] for name in self.__dataclass_fields__))

    def without(self, removed: np.ndarray) -> Persons:
        """All persons, less the joints of a mask (N, 15)."""
        return replace(self, exists=self.exists & ~removed)


@dataclass
class PoseTrackSequence:
    """One file.

    Attributes:
        frame_names: F of them, for messages.
        persons: Those of all frames that count, see ``counts``.
        counts: (F,) bool, whether a frame is evaluated at all; only ground truth decides that.
        image_ids: F of them where the form of the file has them.
        regions: Polygons whose inside is not evaluated, by frame; ground truth only.
    """

    frame_names: list[str]
    persons: Persons
    counts: np.ndarray
    image_ids: list[Any] = field(default_factory=list)
    regions: dict[int, list[Region]] = field(default_factory=dict)


def track_id_array(track_ids: list[Any]) -> np.ndarray:
    """(N,) of any objects."""
    ids = np.empty(len(track_ids), dtype=object)
    ids[:] = track_ids
    return ids
