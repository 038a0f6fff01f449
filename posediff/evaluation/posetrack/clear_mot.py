"""CLEAR MOT (Bernardin and Stiefelhagen, 2008) of every joint, as PoseTrack's poseval computes it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from posediff.evaluation.posetrack.matching import THRESHOLD
from posediff.evaluation.posetrack.tracking_frames import TrackedFrame, TrackedSequence, joints_that_match_one_to_one
from posediff.structures.posetrack_joints import NUM_JOINTS


class ClearMot:
    """Counts over all sequences, per joint; every joint is a separate object with the track id of its person.

    In every frame, a true joint keeps the predicted track that it was last assigned to if the distance is within
    :data:`~posediff.evaluation.posetrack.matching.THRESHOLD`. The remaining joints are assigned for the maximum number
    of matches, then the least sum of distances. An identity switch occurs when a joint is assigned to a different track
    than its last one, however many frames ago that was.

    Peculiarities of poseval are reproduced:

    * The last valid frame of each sequence is omitted; so is every sequence with a single frame.
    * A frame with only true or only predicted persons counts as one miss and one false positive of every joint,
      regardless of its content.
    """

    def __init__(self) -> None:
        self.matches, self.switches, self.misses, self.false_positives = np.zeros((4, NUM_JOINTS), dtype=np.int64)
        self.distances = np.zeros(NUM_JOINTS)

    def add(self, sequence: TrackedSequence) -> None:
        """Add one sequence."""
        last_track = np.full((sequence.num_true, NUM_JOINTS), -1)
        for frame in sequence.frames[:-1]:
            if not len(frame.true) or not len(frame.predicted):
                self.misses += 1
                self.false_positives += 1
                continue
            true, predicted, joint = _assign(frame, last_track)
            track, found = frame.true[true], frame.predicted[predicted]
            switched = (last_track[track, joint] >= 0) & (last_track[track, joint] != found)
            last_track[track, joint] = found
            num_matches = np.bincount(joint, minlength=NUM_JOINTS)
            self.matches += num_matches
            self.switches += np.bincount(joint[switched], minlength=NUM_JOINTS)
            self.misses += frame.true_exists.sum(0) - num_matches
            self.false_positives += frame.predicted_exists.sum(0) - num_matches
            np.add.at(self.distances, joint, frame.distances[true, predicted, joint])

    def figures(self) -> dict[str, np.ndarray]:
        """Return ``mota``, ``motp``, ``mot_precision`` and ``mot_recall`` in percent, (16,): joints and their mean.

        MOTP is 100 if all matches are exact, 50 if all are half a head size away, and 0 without matches. A
        figure with a zero denominator is NaN; the mean ignores NaN.
        """
        num_true, num_predicted = self.matches + self.misses, self.matches + self.false_positives
        with np.errstate(invalid='ignore', divide='ignore'):
            figures = {
                'mota': np.where(
                    num_true > 0, 1 - (self.misses + self.switches + self.false_positives) / num_true, np.nan
                ),
                'motp': np.where(self.matches > 0, 1 - self.distances / self.matches, 0.0),
                'mot_precision': self.matches / num_predicted,
                'mot_recall': self.matches / num_true,
            }
        return {name: 100 * _with_mean(values) for name, values in figures.items()}


def _with_mean(values: np.ndarray) -> np.ndarray:
    there = values[~np.isnan(values)]
    return np.append(values, there.mean() if len(there) else np.nan)


def _assign(frame: TrackedFrame, last_track: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the true person, predicted person and joint of every match, each (M,)."""
    near = frame.distances <= THRESHOLD
    simple = joints_that_match_one_to_one(near)
    found = [np.argwhere(near & simple)]
    for joint in np.flatnonzero(~simple):
        last = last_track[frame.true, joint]
        pairs = _assign_joint(near[..., joint], frame.distances[..., joint], last, frame.predicted)
        found.append(np.insert(pairs, 2, joint, axis=1))
    true, predicted, joint = np.concatenate(found).T
    return true, predicted, joint


def _assign_joint(near: np.ndarray, distances: np.ndarray, last: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """Assign one joint in one frame; return (M, 2) rows of true and predicted persons.

    Args:
        near, distances: (G, P).
        last: (G,) last predicted track of each true person.
        tracks: (P,) predicted tracks.
    """
    near, pairs = near.copy(), []
    for row, column in np.argwhere(near & (last[:, None] == tracks)):
        if near[row, column]:  # two true joints may share a last track; the first keeps it
            pairs.append((row, column))
            near[row], near[:, column] = False, False
    too_far = 2 * min(near.shape) * THRESHOLD + 1  # exceeds the cost of all matches: maximises their number
    for row, column in zip(*linear_sum_assignment(np.where(near, distances, too_far)), strict=True):
        if near[row, column]:
            pairs.append((row, column))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
