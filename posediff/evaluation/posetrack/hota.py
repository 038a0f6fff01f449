"""HOTA (Luiten et al., 2021) of every joint, as PoseTrack21's evaluator computes it (Döring et al., 2022)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from posediff.evaluation.posetrack.tracking_frames import TrackedFrame, TrackedSequence, joints_that_match_one_to_one
from posediff.structures.posetrack_joints import NUM_JOINTS

THRESHOLDS = np.arange(0.05, 0.99, 0.05)
"""(19,) minimum similarities of a correct joint; figures are means over these."""

FARTHEST = 0.5001
"""Distance, in units of the true head size, where the similarity 1 - distance / FARTHEST reaches 0."""


class Hota:
    """Counts over all sequences, per joint.

    In every frame, the joints of true and predicted persons are assigned one to one with the largest sum of
    similarities. Unlike in HOTA of boxes, the assignment ignores the tracks. At each of :data:`THRESHOLDS`, pairs of
    at least that similarity are correct and give the detection and association accuracy of equations 6 to 9 of the
    paper. HOTA is the square root of their product.

    Args:
        odd_empty_frames: Reproduce a peculiarity of PoseTrack21's code: in each frame without predicted persons, all
            true joints of the whole sequence count as missed, unless the whole sequence has no predicted persons.
            False: only the true joints of the frame count as missed.
    """

    def __init__(self, odd_empty_frames: bool) -> None:
        self.odd_empty_frames = odd_empty_frames
        shape = len(THRESHOLDS), NUM_JOINTS + 1  # the last column is all joints together
        self._right, self._wrong, self._missed, self._association = np.zeros((4, *shape))

    def add(self, sequence: TrackedSequence) -> None:
        """Add one sequence."""
        num_true = np.zeros((sequence.num_true, NUM_JOINTS))
        num_predicted = np.zeros((sequence.num_predicted, NUM_JOINTS))
        missed_as_well = np.zeros(NUM_JOINTS)
        pairs = [np.empty((0, 4))]
        for frame in sequence.frames:
            num_true[frame.true] += frame.true_exists
            num_predicted[frame.predicted] += frame.predicted_exists
            if not len(frame.predicted):
                missed_as_well -= frame.true_exists.sum(0)
            elif len(frame.true):
                pairs.append(_assign(frame))
        if self.odd_empty_frames and sequence.num_predicted:
            missed_as_well += num_true.sum(0) * sum(not len(frame.predicted) for frame in sequence.frames)
        else:
            missed_as_well[:] = 0
        true, predicted, joint = (column.astype(np.int64) for column in np.concatenate(pairs).T[:3])
        similarity = np.concatenate(pairs).T[3]
        keys, key = np.unique(np.stack([true, predicted, joint]), axis=1, return_inverse=True)
        both = num_true[keys[0], keys[2]] + num_predicted[keys[1], keys[2]]
        for index, threshold in enumerate(THRESHOLDS):
            enough = similarity >= threshold - np.finfo(float).eps
            shared = np.bincount(key.reshape(-1)[enough], minlength=keys.shape[1])  # frames of both tracks, by joint
            association = np.bincount(keys[2], shared**2 / np.maximum(both - shared, 1), minlength=NUM_JOINTS)
            right = np.bincount(keys[2], shared, minlength=NUM_JOINTS)
            _add(self._right[index], right)
            _add(self._missed[index], num_true.sum(0) + missed_as_well - right)
            _add(self._wrong[index], num_predicted.sum(0) - right)
            self._association[index, :-1] += association
            self._association[index, -1] += (association / np.maximum(right, 1)).mean() * right.sum()

    def figures(self) -> dict[str, np.ndarray]:
        """Return ``hota``, ``deta`` and ``assa`` in percent, (16,): joints, and all joints together."""
        detection = self._right / np.maximum(self._right + self._missed + self._wrong, 1)
        association = self._association / np.maximum(self._right, 1)
        figures = {'hota': np.sqrt(detection * association), 'deta': detection, 'assa': association}
        return {name: 100 * values.mean(0) for name, values in figures.items()}


def _add(counts: np.ndarray, of_joints: np.ndarray) -> None:
    counts[:-1] += of_joints
    counts[-1] += of_joints.sum()


def _assign(frame: TrackedFrame) -> np.ndarray:
    """Return true track, predicted track, joint and similarity of every pair with similarity above 0, (M, 4)."""
    similarity = np.maximum(1 - frame.distances / FARTHEST, 0.0)
    simple = joints_that_match_one_to_one(similarity > 0)
    found = [np.argwhere((similarity > 0) & simple)]
    for joint in np.flatnonzero(~simple):
        rows, columns = linear_sum_assignment(similarity[..., joint], maximize=True)
        pairs = np.stack([rows, columns, np.full(len(rows), joint)], axis=1)
        found.append(pairs[similarity[rows, columns, joint] > 0])
    true, predicted, joint = np.concatenate(found).T
    return np.stack([frame.true[true], frame.predicted[predicted], joint, similarity[true, predicted, joint]], axis=1)
