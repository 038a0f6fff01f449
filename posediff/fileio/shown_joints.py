"""Select the joints of a ``poses.npz`` that are drawn as observed, as opposed to predicted by the lifter alone.

A joint that is missing for a short time is drawn like any other, since it is in the input of the lifter shortly before
or after. A joint that is not observed in any window that contains the frame is only an estimate of the lifter.
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
"""Window length for files that state none, s: 27 frames at 50 fps."""


@dataclass(frozen=True)
class DrawnPerson(PersonPose):
    """A person for visualization.

    Attributes:
        joint_shown: (J,) bool: observed in this frame, or at most one lifter window before or after it.
    """

    joint_shown: np.ndarray


def shown_of(person: PersonPose) -> np.ndarray:
    """Return the joints to draw as observed, (J,) bool: all finite ones if the person is not a :class:`DrawnPerson`."""
    known = np.isfinite(person.joints_3d).all(-1)
    return np.asarray(known & person.joint_shown if isinstance(person, DrawnPerson) else known)


def shown_joints(path: str | Path) -> np.ndarray:
    """Return ``joint_shown`` of all rows of a file, (N, J) bool: see :class:`DrawnPerson`."""
    window = lifter_window(path)
    parts = list(read_rows(path, ['time_s', 'track_id', 'joint_observed']))
    if not parts:
        return np.zeros((0, 1), bool)
    times, tracks, observed = (np.concatenate([part[name] for part in parts]) for name in parts[0])
    shown = observed.copy()
    for track in np.unique(tracks).tolist():
        rows = np.flatnonzero(tracks == track)
        shown[rows] = near_observed(times[rows], observed[rows], window)
    return np.asarray(shown)


def read_drawn(path: str | Path) -> Iterator[FrameResult]:
    """Yield frames like :func:`posediff.fileio.pose_reader.read_results`, with persons as :class:`DrawnPerson`."""
    shown, row = shown_joints(path), 0
    for result in read_results(path):
        people = [
            DrawnPerson(**vars(person), joint_shown=shown[number]) for number, person in enumerate(result.people, row)
        ]
        row += len(people)
        yield FrameResult(result.frame_index, result.time_s, tuple(people))


def sample_joints(path: str | Path, most: int) -> np.ndarray:
    """Sample joints of at most ``most`` rows evenly: (n, J, 3) mm in the camera frame; NaN where not shown."""
    every = max(1, math.ceil(count_rows(path) / most))
    parts = read_rows(path, ['joints_3d', 'root_position'], every)
    found = [part['joints_3d'] + part['root_position'][:, None] for part in parts]
    if not found:
        return np.empty((0, 1, 3), np.float32)
    return np.where(shown_joints(path)[::every, :, None], np.concatenate(found), np.float32(np.nan))


def near_observed(times: np.ndarray, observed: np.ndarray, window: float) -> np.ndarray:
    """Return which joints of one person are observed at most ``window`` seconds before or after the time of each row.

    Args:
        times: (n,) ascending, s.
        observed: (n, J) bool.
        window: Seconds.

    Returns:
        (n, J) bool.
    """
    near = observed.copy()
    for joint in np.flatnonzero(~observed.all(0)).tolist():
        seen = times[observed[:, joint]]
        ends = np.concatenate([[-np.inf], seen, [np.inf]])
        after = np.searchsorted(seen, times) + 1
        near[:, joint] = np.minimum(times - ends[after - 1], ends[after] - times) <= window + 1e-9
    return near


def lifter_window(path: str | Path) -> float:
    """Return the length of the lifter's window that the file states, in seconds; else :data:`DEFAULT_WINDOW_S`."""
    with np.load(path, allow_pickle=False) as arrays:
        return float(arrays['lifter_window_s']) if 'lifter_window_s' in arrays else DEFAULT_WINDOW_S
