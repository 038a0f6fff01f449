"""Precomputed keypoints from a file, which replace detector and pose estimator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posediff.detection.base import BaseDetector
from posediff.fileio.keypoint_files.opening import boxes_of, open_record
from posediff.registry import DETECTORS
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame


@DETECTORS.register_module()
class KeypointsFileDetector(BaseDetector):
    """A detector that returns boxes around the persons of a keypoint file, 10 % larger on every side.

    Args:
        path: The file or folder.
        skeleton, options: See :func:`posediff.fileio.keypoint_files.read_keypoint_file`.

    Attributes:
        record: The content of the file.
        num_pictures: Number of pictures of the longest video processed so far.
        num_looked_up, num_outside: Number of poses looked up, and how many of them lie outside the image.
    """

    def __init__(self, path: str | Path, skeleton: str | None = None, **options: Any) -> None:
        self.record = open_record(path, skeleton, **options)
        self.num_pictures = self.num_looked_up = self.num_outside = 0

    def __call__(self, frames: Sequence[VideoFrame]) -> list[PersonBoxes]:
        return [self._people(frame) for frame in frames]

    def _people(self, frame: VideoFrame) -> PersonBoxes:
        there = [person for person in self.record.at(frame) if (person.scores > 0).any()]
        found, rows = boxes_of(there, frame.image.shape[:2])
        self.num_pictures = max(self.num_pictures, 1 + frame.picture)
        self.num_looked_up += len(there)
        self.num_outside += len(there) - len(rows)
        return found
