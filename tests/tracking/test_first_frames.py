"""People are there from the frame on that they were found in first."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posediff.tracking import PoseTracker
from posediff.tracking.first_frames import with_first_frames

FPS = 25.0


def walking(comes: dict[int, tuple[int, int]], frames: int) -> list[np.ndarray]:
    """Boxes of people far apart, each from a frame to another."""
    made = []
    for frame in range(frames):
        there = [200.0 * person + 2 * frame for person, (start, end) in comes.items() if start <= frame < end]
        made.append(np.array([[left, 50.0, left + 60, 170.0] for left in there]).reshape(-1, 4))
    return made


def ids(boxes: list[np.ndarray], min_hits: int, first_frames: bool) -> list[list[int]]:
    tracker = PoseTracker(min_hits=min_hits)
    tracker.reset(FPS)
    tracked = [(index, tracker.update(index, found, np.ones(len(found)))) for index, found in enumerate(boxes)]
    if first_frames:
        tracked = list(with_first_frames(tracked, lambda index: boxes[index], min_hits))
    assert [index for index, _ in tracked] == list(range(len(boxes)))
    return [found.tolist() for _, found in tracked]


@given(
    stays=st.lists(st.tuples(st.integers(0, 10), st.integers(1, 9)), min_size=1, max_size=4),
    min_hits=st.integers(1, 4),
)
def test_who_gets_an_id_has_it_from_the_start_and_who_does_not_has_none(stays, min_hits):
    comes = {person: (start, start + length) for person, (start, length) in enumerate(stays)}
    boxes = walking(comes, 20)
    found = ids(boxes, min_hits, True)
    names: dict[int, set[int]] = {person: set() for person in comes}
    for frame, row in enumerate(found):
        there = [person for person, (start, end) in comes.items() if start <= frame < end]
        for person, track_id in zip(there, row, strict=True):
            names[person].add(track_id)
    for person, (start, end) in comes.items():
        assert len(names[person]) == 1
        assert (names[person] == {-1}) == (end - start < min_hits)
    later = ids(boxes, min_hits, False)
    assert all(late in (-1, early) for a, b in zip(later, found, strict=True) for late, early in zip(a, b, strict=True))


def test_nobody_else_is_taken_for_them():
    boxes = [np.array([[0.0, 0, 50, 100]]), *[np.array([[300.0, 0, 350, 100]])] * 3]
    assert ids(boxes, 2, True) == [[-1], [0], [0], [0]]


@given(frames=st.integers(1, 3), people=st.integers(0, 3))
def test_everybody_in_a_photo_gets_an_id(frames, people):
    boxes = walking(dict.fromkeys(range(people), (0, frames)), frames)
    assert ids(boxes, frames + 1, True) == [list(range(people))] * frames
