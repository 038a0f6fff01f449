"""True and predicted persons of a sequence with their track ids, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.evaluation.posetrack.entries import check_unique
from posediff.evaluation.posetrack.sequence import Persons


@dataclass(frozen=True)
class TrackedFrame:
    """True and predicted persons of one frame: G true ones, P predicted ones.

    Attributes:
        true, predicted: (G,) and (P,) int64, track indices, from 0 in each sequence.
        true_exists, predicted_exists: (G, 15) and (P, 15) bool.
        distances: (G, P, 15) in units of the true head size; infinite if a joint is missing or not finite.
    """

    true: np.ndarray
    predicted: np.ndarray
    true_exists: np.ndarray
    predicted_exists: np.ndarray
    distances: np.ndarray


@dataclass(frozen=True)
class TrackedSequence:
    """All valid frames of a sequence and the numbers of tracks."""

    frames: list[TrackedFrame]
    num_true: int
    num_predicted: int


def tracked_sequence(true: Persons, predicted: Persons, frames: np.ndarray, frame_names: list[str]) -> TrackedSequence:
    """Group persons by frame and number their tracks.

    Args:
        true, predicted: Valid persons.
        frames: (F,) valid frames, in order.
        frame_names: Names of all frames, for messages.

    Raises:
        ValueError: A track id is missing, not a number, or occurs twice in a frame.
    """
    (true_tracks, num_true), (predicted_tracks, num_predicted) = (
        _numbered(persons, frame_names) for persons in (true, predicted)
    )
    sequence = []
    for frame in frames:
        a, b = _rows(true, frame), _rows(predicted, frame)
        sequence.append(
            TrackedFrame(
                true_tracks[a],
                predicted_tracks[b],
                true.exists[a],
                predicted.exists[b],
                _distances(true, a, predicted, b),
            )
        )
    return TrackedSequence(sequence, num_true, num_predicted)


def _rows(persons: Persons, frame: int) -> slice:
    return slice(*np.searchsorted(persons.frame, [frame, frame + 1]))


def _numbered(persons: Persons, frame_names: list[str]) -> tuple[np.ndarray, int]:
    """Return track ids as 0, 1, … and their number."""
    for row, track_id in enumerate(persons.track_ids):
        if isinstance(track_id, bool) or not isinstance(track_id, (int, float)):
            frame = frame_names[persons.frame[row]]
            raise ValueError(f'a person in frame {frame} has the track_id {track_id!r}, which is not a number')
    for frame in np.unique(persons.frame):
        check_unique(persons.track_ids[_rows(persons, frame)], frame_names[frame])
    known, tracks = np.unique(persons.track_ids.astype(np.float64), return_inverse=True)
    return tracks.astype(np.int64), len(known)


def _distances(true: Persons, a: slice, predicted: Persons, b: slice) -> np.ndarray:
    with np.errstate(invalid='ignore', divide='ignore', over='ignore'):
        offsets = true.points[a][:, None] - predicted.points[b][None]
        distances = np.sqrt((offsets**2).sum(-1)) / true.head_sizes[a][:, None, None]
    both = true.exists[a][:, None] & predicted.exists[b][None]
    return np.where(both & np.isfinite(distances), distances, np.inf)


def joints_that_match_one_to_one(candidates: np.ndarray) -> np.ndarray:
    """Return the joints for which every person is a candidate of at most one other, (15,): assignment is trivial.

    Args:
        candidates: (G, P, 15) bool.
    """
    return (candidates.sum(0) <= 1).all(0) & (candidates.sum(1) <= 1).all(0)
