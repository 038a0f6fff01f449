"""Track ids read from a keypoint file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.keypoint_files.opening import open_record
from posediff.registry import TRACKERS
from posediff.structures.frame_poses import NO_TRACK, FramePoses
from posediff.tracking.base import BaseTracker
from posediff.tracking.pose_tracker import PoseTracker


@TRACKERS.register_module()
class GivenIdsTracker(BaseTracker):
    """A tracker that uses the track ids of a keypoint file; persons without an id in the file are tracked by pose.

    Persons are identified by their keypoints, which equal those of the file exactly. If several frames of the file have
    the same keypoints (a person does not move, or another person appears later), the frame nearest in time is used. The
    ids of persons without one start after the largest id of the file.

    Args:
        path: The file or folder of the keypoints.
        skeleton, options: See :func:`posediff.fileio.keypoint_files.read_keypoint_file`; the same as for detector and
            pose estimator.
    """

    def __init__(self, path: str | Path, skeleton: str | None = None, **options: Any) -> None:
        record = open_record(path, skeleton, **options)
        self._others = PoseTracker(min_hits=1) if record.is_sparse else PoseTracker()
        super().__init__(self._others.max_lost_s, self._others.min_hits)
        self._given: dict[bytes, list[tuple[int, int]]] = {}
        for frame, people in sorted(record.people.items()):
            for person in people:
                if person.track_id is not None:
                    self._given.setdefault(_key(person.keypoints), []).append((frame, person.track_id))
        self._first_other = 1 + max((track for held in self._given.values() for _, track in held), default=-1)

    def _reset(self) -> None:
        assert self.fps is not None
        self._others.reset(self.fps)
        self._last_given = self._last_index = 0

    def _update(self, found: FramePoses) -> np.ndarray:
        ids = np.full(len(found), NO_TRACK, dtype=np.int64)
        taken: set[int] = set()
        expected, frames = self._last_given + found.frame_index - self._last_index, []
        for row, held in enumerate(self._entries(found)):
            later = [one for one in held if one[0] >= self._last_given and one[1] not in taken]  # never go back in time
            if later:
                frame, ids[row] = min(later, key=lambda one: abs(one[0] - expected))
                taken.add(int(ids[row]))
                frames.append(frame)
        if frames:
            self._last_given, self._last_index = max(frames), found.frame_index
        others = np.flatnonzero(ids == NO_TRACK)
        left = found.take(others)
        tracked = self._others.update(
            found.frame_index,
            left.boxes,
            left.box_scores,
            left.keypoints_2d if left.keypoints_2d.shape[1] else None,
            left.keypoint_scores if left.keypoints_2d.shape[1] else None,
        )
        ids[others] = np.where(tracked == NO_TRACK, NO_TRACK, tracked + self._first_other)
        return ids

    def _entries(self, found: FramePoses) -> list[list[tuple[int, int]]]:
        return [self._given.get(_key(points), []) for points in found.keypoints_2d]


def _key(keypoints: np.ndarray) -> bytes:
    return np.asarray(keypoints, np.float32).tobytes()
