"""Assign track ids to the frames before a track was confirmed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

from posediff.geometry.similarity import box_iou
from posediff.structures.frame_poses import NO_TRACK

Frame = TypeVar('Frame')
MIN_OVERLAP = 0.2


def with_first_frames(
    tracked: Iterable[tuple[Frame, np.ndarray]], boxes_of: Callable[[Frame], np.ndarray], min_hits: int
) -> Iterator[tuple[Frame, np.ndarray]]:
    """Extend each new track back to the frames before it was confirmed; output is delayed by ``min_hits - 1`` frames.

    From the frame in which an id first occurs, the search goes backwards frame by frame: the box without an id that has
    the largest IoU with the box of the next frame gets the id, as long as the IoU is at least :data:`MIN_OVERLAP`. In a
    photo, and in a video with fewer frames than ``min_hits``, every person in the last frame gets an id.

    Args:
        tracked: Frames in temporal order with the ids of the tracker, (N,) int64.
        boxes_of: Returns the boxes of a frame, (N, 4) px.
        min_hits: The tracker's ``min_hits``.

    Yields:
        The same frames with their ids.
    """
    held: deque[tuple[Frame, np.ndarray]] = deque()
    next_id, count = 0, 0
    for frame, ids in tracked:
        count += 1
        past = list(held)
        held.append((frame, ids.copy()))
        for row in np.flatnonzero(ids >= next_id):
            _follow_back(past, boxes_of, boxes_of(frame)[row], int(ids[row]))
        next_id = max(next_id, int(ids.max(initial=NO_TRACK)) + 1)
        if len(held) == min_hits:
            yield held.popleft()
    if 0 < count < min_hits:
        *past, (frame, ids) = held
        for row in np.flatnonzero(ids == NO_TRACK):
            ids[row], next_id = next_id, next_id + 1
            _follow_back(past, boxes_of, boxes_of(frame)[row], int(ids[row]))
    yield from held


def _follow_back(
    past: list[tuple[Frame, np.ndarray]], boxes_of: Callable[[Frame], np.ndarray], box: np.ndarray, track_id: int
) -> None:
    for frame, ids in reversed(past):
        boxes = boxes_of(frame)
        if not len(boxes):
            return
        overlap = np.where(ids == NO_TRACK, box_iou(box[None], boxes)[0], 0.0)
        best = int(overlap.argmax())
        if overlap[best] < MIN_OVERLAP:
            return
        ids[best], box = track_id, boxes[best]
