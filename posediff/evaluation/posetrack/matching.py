"""Which predicted person is which true one, and which of its joints are right.

All of it by place: scores play no role here.
"""

from __future__ import annotations

import numpy as np

from posediff.evaluation.posetrack.pairs import expand
from posediff.evaluation.posetrack.sequence import Persons

THRESHOLD = 0.5
"""A joint is right up to this distance, inclusive, in units of the size of the true head."""

MAX_PAIRS = 20_000
"""Pairs of persons that are compared together: some five arrays of 15 numbers a pair are made."""


def match(predicted: Persons, true: Persons) -> np.ndarray:
    """Assign the persons of every frame, and judge the predicted joints.

    The share of a true person's joints that a predicted one has right decides. A predicted person chooses the true
    one of the highest share (the first of equals), and a true person takes, among those who chose it, the one of the
    highest share above 0 (the first of equals). Who is not taken has chosen in vain: nobody is assigned to a second
    best. A joint is right where its person is assigned and it is within :data:`THRESHOLD` of that joint of that
    person; where the true person lacks the joint, it is wrong.

    Args:
        predicted, true: Of one sequence.

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
    """``rows`` in pieces that have at most about :data:`MAX_PAIRS` pairs together."""
    if not len(rows):
        return []
    piece = (np.cumsum(counts) - 1) // MAX_PAIRS
    return np.split(rows, np.flatnonzero(np.diff(piece)) + 1)


def _shares(predicted: Persons, true: Persons, rows: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """(P,): which part of the joints of a true person a predicted person has right; 0 where there are none."""
    num_joints = true.exists[persons].sum(-1)
    num_right = _right(predicted, true, rows, persons).sum(-1)
    return np.where(num_joints > 0, num_right / np.maximum(num_joints, 1), 0.0)


def _right(predicted: Persons, true: Persons, rows: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """(P, 15) for pairs of persons. NaN, and a head of size 0, match nothing."""
    with np.errstate(invalid='ignore', divide='ignore', over='ignore'):
        offsets = predicted.points[rows] - true.points[persons]
        squared = offsets[..., 0] ** 2 + offsets[..., 1] ** 2
        near = np.sqrt(squared) / true.head_sizes[persons][:, None] <= THRESHOLD
    return near & predicted.exists[rows] & true.exists[persons]
