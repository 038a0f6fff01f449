"""Persons of the previous frame that the detector found again in this frame, and those that it missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from posediff.geometry.similarity import box_iou
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.structures.frame_poses import FramePoses
from posediff.structures.person_boxes import PersonBoxes

SAME_PERSON_IOU = 0.3
"""IoU above which a box and a box of the previous frame belong to the same person."""

MAX_COVERED = 0.7
"""A person that the detector missed is added if at most this part of its box lies within another box of the frame; if
more does, the box is considered a part of the other person."""

MIN_INSIDE = 0.8
"""A person is searched around its joints of the previous frame if at least this part of their box lies within the box
of the detector; else the joints may be outdated."""


def with_known_joints(window: FrameWindow, previous: FramePoses | None, estimator: BasePoseEstimator) -> PersonBoxes:
    """Return the persons of a window, with ``close`` for those whose joints of the previous frame are known.

    Args:
        window: The frame, with boxes (N, 4) px.
        previous: The poses of the previous frame, with boxes (M, 4) and keypoints (M, K, 2) px; None: unknown.
        estimator: Its ``where_next`` says where to search.

    Returns:
        The persons of the window in their order; ``close`` is (N, 4) px, NaN for persons whose joints are unknown. If
        no joints are known, the persons of the window unchanged.
    """
    people = window.people
    if previous is None or window.key.after_cut or not len(people) or not len(previous):
        return people
    before, now = same_people(previous.boxes, people.boxes)
    known = previous.take(before)
    near = estimator.where_next(_people(known), known.keypoints_2d).close
    if near is None:
        return people
    close = np.full((len(people), 4), np.nan, np.float32)
    joints = np.concatenate([known.keypoints_2d.min(1), known.keypoints_2d.max(1)], axis=-1)
    agree = np.diagonal(covered(joints, people.boxes[now])) >= MIN_INSIDE
    close[now[agree]] = near[agree]
    return replace(people, close=close)


def missed_people(
    window: FrameWindow, found: FramePoses, previous: FramePoses, estimator: BasePoseEstimator
) -> PersonBoxes:
    """Return the persons of the previous frame that the detector missed, where they are to be searched.

    Args:
        window: The frame; its image limits where persons can be.
        found: The poses of the frame, with boxes (M, 4) px.
        previous: The poses of the previous frame, with boxes (P, 4) and keypoints (P, K, 2) px.
        estimator: Its ``where_next`` says where to search.

    Returns:
        Boxes (N, 4) px of persons of ``previous`` that no box of ``found`` overlaps enough to be the same person and
        whose box lies partly within the image, in their order; empty if there are none.
    """
    height, width = window.key.image.shape[:2]
    missed = (np.minimum(previous.boxes[:, 2:], [width, height]) > np.maximum(previous.boxes[:, :2], 0)).all(-1)
    missed[same_people(previous.boxes, found.boxes)[0]] = False
    lost = previous.take(missed)
    if not len(lost):
        return PersonBoxes.empty()
    return estimator.where_next(_people(lost), lost.keypoints_2d)


def not_in_others(added: FramePoses, found: FramePoses) -> np.ndarray:
    """Return the indices of the added persons that are no parts of the persons found."""
    return np.flatnonzero((covered(added.boxes, found.boxes) <= MAX_COVERED).all(1))


def same_people(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of boxes (N, 4) and boxes (M, 4) of the next frame that belong to the same persons."""
    overlap = box_iou(before, now)
    rows, columns = linear_sum_assignment(-overlap)
    same = overlap[rows, columns] >= SAME_PERSON_IOU
    return rows[same], columns[same]


def covered(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the parts (N, M) of the areas of N boxes that lie in each of M other boxes."""
    low = np.maximum(boxes[:, None, :2], others[:, :2])
    high = np.minimum(boxes[:, None, 2:], others[:, 2:])
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return (high - low).clip(0).prod(-1) / np.maximum(areas, 1e-6)[:, None]


def _people(poses: FramePoses) -> PersonBoxes:
    return PersonBoxes(poses.boxes, poses.box_scores, close=poses.crops)
