"""Assignment of predicted persons to true persons, and of correct joints.

Only positions are used, no scores.
"""

from __future__ import annotations

import numpy as np

from posediff.evaluation.posetrack.pairs import expand
from posediff.evaluation.posetrack.sequence import Persons

THRESHOLD = 0.5
"""Maximum distance of a correct joint, inclusive, in units of the true head size."""

MAX_PAIRS = 20_000
"""Maximum number of pairs of persons in one chunk; about five arrays of 15 numbers per pair are allocated."""


def match(predicted: Persons, true: Persons) -> np.ndarray:
    """Assign the persons of every frame and label the predicted joints.

    The criterion is the share of a true person's joints that a predicted person has correct. Each predicted person
    proposes to the true person of the highest share (first on ties). Each true person accepts, among its proposals,
    the one of the highest share above 0 (first on ties). Rejected predictions stay unassigned; there is no second
    choice. A joint is correct if its person is assigned and it is within :data:`THRESHOLD` of the same joint of the
    true person; if the true person lacks the joint, it is incorrect.

    Args:
        predicted, true: Persons of one sequence.

    Returns:
        (N, 15) bool for the N predicted persons; False where a joint does not exist.
    """
    right = np.zeros(predicted.exists.shape, dtype=bool)
    first = np.searchsorted(true.frame, predicted.frame, side='left')
    counts = np.searchsorted(true.frame, predicted.frame, side='right') - first
    chosen = np.zeros(len(predicted), dtype=np.int64)
    share = np.zeros(len(predicted))
    candidates = np.flatnonzero(counts)
    for rows in _parts(candidates, counts[candidates]):
        owner, person = expand(first[rows], counts[rows])
        shares = _shares(predicted, true, rows[owner], person)
        starts = np.cumsum(counts[rows]) - counts[rows]
        share[rows] = np.maximum.reduceat(shares, starts)
        best = np.flatnonzero(shares == share[rows][owner])
        _, first_best = np.unique(owner[best], return_index=True)
        chosen[rows] = person[best[first_best]]
    order = np.lexsort((np.arange(len(share)), -share, chosen))
    order = order[share[order] > 0]
    taken, first_of = np.unique(chosen[order], return_index=True)
    assigned = order[first_of]
    right[assigned] = _right(predicted, true, assigned, taken)
    return right


def _parts(rows: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
    """Split ``rows`` into chunks of about :data:`MAX_PAIRS` pairs at most."""
    if not len(rows):
        return []
    piece = (np.cumsum(counts) - 1) // MAX_PAIRS
    return np.split(rows, np.flatnonzero(np.diff(piece)) + 1)


def _shares(predicted: Persons, true: Persons, rows: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Return the share of the true person's joints that the predicted person has correct, (P,); 0 without joints."""
    num_joints = true.exists[persons].sum(-1)
    num_right = _right(predicted, true, rows, persons).sum(-1)
    return np.where(num_joints > 0, num_right / np.maximum(num_joints, 1), 0.0)


def _right(predicted: Persons, true: Persons, rows: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Return which joints of pairs of persons are correct, (P, 15). NaN and a head size of 0 match nothing."""
    with np.errstate(invalid='ignore', divide='ignore', over='ignore'):
        offsets = predicted.points[rows] - true.points[persons]
        squared = offsets[..., 0] ** 2 + offsets[..., 1] ** 2
        near = np.sqrt(squared) / true.head_sizes[persons][:, None] <= THRESHOLD
    return near & predicted.exists[rows] & true.exists[persons]
