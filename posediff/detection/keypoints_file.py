"""Precomputed keypoints from a file, which replace detector and pose estimator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posediff.detection.base import BaseDetector, ProcessedVideo
from posediff.fileio.keypoint_files.misfits import behind, doubts
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
        num_pictures: One more than the largest picture index processed so far.
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

    def metadata(self) -> dict[str, Any]:
        """Return ``track_names``, the file's own name of each track id, if they are not numbers; else no entry."""
        names = self.record.track_names
        return {'track_names': {str(number): name for number, name in names.items()}} if names else {}

    def warnings(self, processed: ProcessedVideo) -> list[str]:
        """Return sentences about how the file was read, and about poses outside of the video or the image.

        Raises:
            ValueError: All poses are after the end of the video, or all are outside the image.
        """
        record, notes = self.record, [*self.record.notes, *doubts(self.record)]
        if record.track_names:
            names = ', '.join(f'{number}: {name}' for number, name in record.track_names.items())
            notes.append(f'track ids are {names}')
        num_frames = processed.num_frames
        if record.clock == 'picture':
            num_frames = max(self.num_pictures, processed.num_pictures or 0)
        late = behind(record, num_frames) if processed.is_complete and num_frames else None
        outside = None
        if self.num_outside:
            outside = f'{self.num_outside} of {self.num_looked_up} poses lie outside the picture'
        all_late = late is not None and record.behind(num_frames)[0] == record.num_poses
        all_outside = outside is not None and self.num_outside == self.num_looked_up and not processed.is_resumed
        found = [note for note in (late, outside) if note is not None]
        if all_late or all_outside:
            raise ValueError(f'{record.path}: {"; ".join(found)}')
        return notes + [f'{record.path}: {note}' for note in found]
