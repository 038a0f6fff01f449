"""Content of one PoseTrack file as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Region = tuple[list[float], list[float]]
"""x and y of a polygon's vertices in px."""


@dataclass
class Persons:
    """Persons of a sequence, sorted by frame, then in the order of the file.

    Attributes:
        frame: (N,) int64, position of the person's frame in the sequence; non-decreasing.
        points: (N, 15, 2) px, in the order of :data:`~posediff.structures.posetrack_joints.EVALUATED_JOINTS`; undefined
            where ``exists`` is False.
        exists: (N, 15) bool.
        scores: (N, 15) float64, any range; undefined for ground truth.
        head_sizes: (N,) px; NaN for predictions.
        lacks_head: (N,) bool, whether the head box is missing.
        track_ids: (N,) objects; None for persons without a track id.
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
        """Return the persons selected by a mask (N,)."""
        return Persons(*(getattr(self, name)[wanted] for name in self.__dataclass_fields__))

    def without(self, removed: np.ndarray) -> Persons:
        """Return all persons without the joints of a mask (N, 15)."""
        return replace(self, exists=self.exists & ~removed)


@dataclass
class PoseTrackSequence:
    """Frames, persons and ignore regions of one file; F frames.

    Attributes:
        frame_names: F names, for messages.
        persons: Persons of all evaluated frames, see ``evaluated``.
        evaluated: (F,) bool, whether a frame is evaluated; defined by the ground truth only.
        image_ids: F ids, if the file format has them.
        regions: Ignore regions as polygons, by frame; ground truth only.
    """

    frame_names: list[str]
    persons: Persons
    evaluated: np.ndarray
    image_ids: list[Any] = field(default_factory=list)
    regions: dict[int, list[Region]] = field(default_factory=dict)


def track_id_array(track_ids: list[Any]) -> np.ndarray:
    """Return an object array (N,) of track ids."""
    ids = np.empty(len(track_ids), dtype=object)
    ids[:] = track_ids
    return ids
