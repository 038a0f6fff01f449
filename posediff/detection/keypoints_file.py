"""Keypoints that somebody else found: a file takes the place of detector and 2D estimator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from posediff.detection.base import BaseDetector, People, boxes_around, clip_boxes
from posediff.fileio.keypoint_files import FoundPerson, KeypointRecord, read_keypoint_file
from posediff.registry import DETECTORS
from posediff.video.frames import VideoFrame


@DETECTORS.register_module()
class KeypointsFileDetector(BaseDetector):
    """Boxes around the people of a file of keypoints, a tenth larger on every side.

    Args:
        path: The file or folder.
        skeleton, options: See :func:`posediff.fileio.keypoint_files.read_keypoint_file`.

    Attributes:
        record: What is in the file.
        num_pictures: How long the videos were that people were looked up for.
        num_looked_up, num_outside: Poses that were looked up, and those of them that lie outside the picture.
    """

    def __init__(self, path: str | Path, skeleton: str | None = None, **options: Any) -> None:
        self.record = open_record(path, skeleton, **options)
        self.num_pictures = self.num_looked_up = self.num_outside = 0

    def __call__(self, frames: Sequence[VideoFrame]) -> list[People]:
        return [self._people(frame) for frame in frames]

    def _people(self, frame: VideoFrame) -> People:
        there = [person for person in self.record.at(frame) if (person.scores > 0).any()]
        found, rows = boxes_of(there, frame.image.shape[:2])
        self.num_pictures = max(self.num_pictures, 1 + frame.picture)
        self.num_looked_up += len(there)
        self.num_outside += len(there) - len(rows)
        return found

    @classmethod
    def contract_cases(cls) -> list[dict[str, Any]]:
        """A file of COCO's results."""
        return [{'path': example_file(), 'skeleton': 'coco17'}]


def open_record(path: str | Path, skeleton: str | None = None, **options: Any) -> KeypointRecord:
    """Read a file of keypoints, once for the components that want the same: detector, 2D estimator and tracker.

    Args:
        path: The file or folder.
        skeleton, options: See :func:`posediff.fileio.keypoint_files.read_keypoint_file`.
    """
    file = Path(path).expanduser()
    if not file.is_file():  # what is in a folder may change without a trace on it
        return read_keypoint_file(file, skeleton, **options)
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    state = file.stat()
    return _read_once(file, state.st_mtime_ns, state.st_size, skeleton, tuple(sorted(plain.items())))


@lru_cache(maxsize=1)
def _read_once(
    file: Path, changed: int, size: int, skeleton: str | None, options: tuple[tuple[str, Any], ...]
) -> KeypointRecord:
    return read_keypoint_file(file, skeleton, **dict(options))


def boxes_of(people: Sequence[FoundPerson], img_shape: tuple[int, int]) -> tuple[People, list[int]]:
    """Boxes of those who are at least partly in the image, and which of the people they are."""
    boxes, rows = [], []
    for row, person in enumerate(people):
        seen = person.keypoints[person.scores > 0]
        if not len(seen):
            continue
        (box,) = boxes_around(seen[None])
        if len(clip_boxes(box, person.scores[:1], img_shape)):
            boxes.append(box)
            rows.append(row)
    means = np.array([people[row].scores.mean() for row in rows])
    return clip_boxes(np.array(boxes), means, img_shape), rows


def example_file() -> str:
    """Two people in the first frame, one of them in the third."""
    import tempfile

    rng = np.random.default_rng(0)
    rows = []
    for frame, left in ((0, 10), (0, 60), (2, 60)):
        points = np.concatenate([rng.uniform([left, 10], [left + 40, 90], (17, 2)), np.full((17, 1), 0.9)], -1)
        rows.append({'image_id': frame, 'category_id': 1, 'keypoints': points.ravel().tolist(), 'score': 0.9})
    with tempfile.NamedTemporaryFile('w', suffix='.json', delete=False) as file:
        json.dump(rows, file)
    return file.name
