"""Ids of a file are kept from frame to frame, whatever the order of people, pictures that repeat, and poses that come
again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from posediff.fileio.keypoint_files.opening import open_record
from posediff.tracking import GivenIdsTracker


def file_of(folder: Path, entries: list[tuple[int, np.ndarray, object]]) -> Path:
    rows = [
        {'image_id': frame, 'keypoints': np.c_[points, np.full(17, 0.9)].ravel().tolist(), 'track_id': track}
        for frame, points, track in entries
    ]
    (folder / 'a.json').write_text(json.dumps(rows))
    return folder / 'a.json'


def update(tracker: GivenIdsTracker, frame: int, poses: list[np.ndarray]) -> list[int]:
    points = np.stack(poses) if poses else np.zeros((0, 17, 2))
    boxes = np.concatenate([points.min(1), points.max(1)], -1) if poses else np.zeros((0, 4))
    return tracker.update(frame, boxes, np.full(len(poses), 0.9), points, np.full((len(poses), 17), 0.9)).tolist()


def test_ids_follow_the_keypoints(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    left, right, third = (rng.uniform([x, 10], [x + 60, 130], (17, 2)).astype(np.float32) for x in (10, 200, 400))
    path = file_of(tmp_path, [(0, left, 7), (0, right, 2), (1, left + 1, 7), (1, right + 1, 2), (3, left, 9)])
    assert open_record(path, 'coco17').has_track_ids
    tracker = GivenIdsTracker(path, 'coco17')
    for _ in range(2):  # two videos
        tracker.reset(25.0)
        assert update(tracker, 0, [right, left]) == [2, 7]
        assert update(tracker, 1, [right, left]) == [2, 7]  # a picture that repeats
        assert update(tracker, 2, [left + 1, third]) == [7, -1]
        assert update(tracker, 3, [third, left]) == [
            10,
            9,
        ]  # found twice: behind the largest; the same pose is another's now
        assert update(tracker, 4, []) == []


def test_an_id_is_given_once_a_frame(tmp_path: Path) -> None:
    pose = np.random.default_rng(0).uniform(10, 90, (17, 2)).astype(np.float32)
    tracker = GivenIdsTracker(file_of(tmp_path, [(0, pose, 'ann'), (1, pose + 1, 'bob')]), 'coco17')
    tracker.reset(25.0)
    assert sorted(update(tracker, 0, [pose, pose])) == [-1, 0]


def test_a_pose_that_comes_again_later_has_the_id_of_its_time(tmp_path: Path) -> None:
    pose = np.random.default_rng(0).integers(10, 90, (17, 2)).astype(np.float32)
    frames = [*((frame, pose, 1) for frame in range(11)), *((frame, pose, 2) for frame in range(20, 31))]
    tracker = GivenIdsTracker(file_of(tmp_path, frames), 'coco17')
    tracker.reset(25.0)
    there = {frame: track for frame, _, track in frames}
    found = [update(tracker, frame, [pose] if frame in there else []) for frame in range(31)]
    assert found == [[there[frame]] if frame in there else [] for frame in range(31)]
