"""Which joints of a ``poses.npz`` are drawn as people's, and which as what a lifter takes for likely.

A joint that was missed for a moment is drawn like any other: the lifter has seen it before or after. One that it has
not seen in any of the windows that hold the frame is its guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posediff.fileio.pose_reader import count_rows, read_results, read_rows
from posediff.structures.results import FrameResult, PersonPose

DEFAULT_WINDOW_S = 0.54
"""Of files that do not say how long their lifter's window is: 27 frames at 50 a second."""


@dataclass(frozen=True)
class DrawnPerson(PersonPose):
    """A person as pictures show them.

    Attributes:
        joint_shown: (J,) bool: observed in this frame, or not longer before or after it than a window of the lifter is.
    """

    joint_shown: np.ndarray


def shown_of(person: PersonPose) -> np.ndarray:
    """(J,) bool: joints that are drawn as observed; all known joints of a person who was not read from a file."""
    known = np.isfinite(person.joints_3d).all(-1)
    return np.asarray(known & person.joint_shown if isinstance(person, DrawnPerson) else known)


def shown_joints(path: str | Path) -> np.ndarray:
    """(N, J) bool of all rows of a file, a byte for each joint: see :class:`DrawnPerson`."""
    window = _window(path)
    parts = list(read_rows(path, ['time_s', 'track_id', 'joint_observed']))
    if not parts:
        return np.zeros((0, 1), bool)
    times, tracks, observed = (np.concatenate([part[name] for part in parts]) for name in parts[0])
    shown = observed.copy()
    for track in np.unique(tracks).tolist():
        rows = np.flatnonzero(tracks == track)
        for joint in np.flatnonzero(~observed[rows].all(0)).tolist():
            shown[rows, joint] = _near(times[rows], times[rows[observed[rows, joint]]], window)
    return np.asarray(shown)


def read_drawn(path: str | Path) -> Iterator[FrameResult]:
    """As :func:`posediff.fileio.pose_reader.read_results`, with people who know which of their joints are shown."""
    shown, row = shown_joints(path), 0
    for result in read_results(path):
        people = [
            DrawnPerson(**vars(person), joint_shown=shown[number]) for number, person in enumerate(result.people, row)
        ]
        row += len(people)
        yield FrameResult(result.frame_index, result.time_s, tuple(people))


def sample_joints(path: str | Path, most: int) -> np.ndarray:
    """Joints in the camera frame (n, J, 3) mm of at most so many rows, evenly over the file; NaN where not shown."""
    every = max(1, math.ceil(count_rows(path) / most))
    parts = read_rows(path, ['joints_3d', 'root_position'], every)
    found = [part['joints_3d'] + part['root_position'][:, None] for part in parts]
    if not found:
        return np.empty((0, 1, 3), np.float32)
    return np.where(shown_joints(path)[::every, :, None], np.concatenate(found), np.float32(np.nan))


def _near(times: np.ndarray, seen: np.ndarray, window: float) -> np.ndarray:
    """(n,) bool: one of the growing times in ``seen`` is no further away than the window."""
    ends = np.concatenate([[-np.inf], seen, [np.inf]])
    after = np.searchsorted(seen, times) + 1
    return np.asarray(np.minimum(times - ends[after - 1], ends[after] - times) <= window + 1e-9)


def _window(path: str | Path) -> float:
    with np.load(path, allow_pickle=False) as arrays:
        return float(arrays['lifter_window_s']) if 'lifter_window_s' in arrays else DEFAULT_WINDOW_S
