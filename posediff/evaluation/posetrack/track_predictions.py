"""Tracking of predicted persons: assigns a track id to each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from posediff.evaluation.posetrack.result_files import PredictedPerson
from posediff.tracking.base import NO_TRACK, BaseTracker

LEAST_SIDE = 1.0
"""Minimum side in px of the box of keypoints."""


def give_track_ids(
    persons: Sequence[Sequence[PredictedPerson]], tracker: BaseTracker, fps: float
) -> list[list[PredictedPerson]]:
    """Track the persons of a sequence.

    Result files need an id for every person: a person without a track gets a unique id above those of the tracks.

    Args:
        persons: Persons of each frame.
        tracker: Tracker, reset for this video.
        fps: Frames per second of the video.
    """
    tracker.reset(fps)
    track_ids = [_update(tracker, frame, several) for frame, several in enumerate(persons)]
    others = itertools.count(1 + max((max(ids) for ids in track_ids if ids), default=NO_TRACK))
    return [
        [
            replace(person, track_id=next(others) if track_id == NO_TRACK else track_id)
            for person, track_id in zip(several, ids, strict=True)
        ]
        for several, ids in zip(persons, track_ids, strict=True)
    ]


def _update(tracker: BaseTracker, frame: int, persons: Sequence[PredictedPerson]) -> list[int]:
    if not persons:
        return tracker.update(frame, np.zeros((0, 4)), np.zeros(0)).tolist()
    return tracker.update(
        frame,
        np.stack([_box(person) for person in persons]),
        np.array([person.box_score for person in persons]),
        np.stack([person.keypoints for person in persons]),
        np.stack([np.clip(person.scores, 0, 1) for person in persons]),
    ).tolist()


def _box(person: PredictedPerson) -> np.ndarray:
    if person.box is not None:
        return person.box
    there = person.keypoints[person.scores > 0] if (person.scores > 0).any() else person.keypoints
    least, most = there.min(0), there.max(0)
    return np.concatenate([least, np.maximum(most, least + LEAST_SIDE)])
