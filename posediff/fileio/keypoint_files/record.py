"""The result of reading a keypoint file, for all formats."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from posediff.structures.skeletons import Skeleton
from posediff.structures.video_frame import VideoFrame


@dataclass(frozen=True)
class FoundPerson:
    """A person in one frame.

    Attributes:
        keypoints: (K, 2) float32 px; 0 for undetected keypoints.
        scores: (K,) float32 in [0, 1]; 0 for undetected keypoints.
        track_id: Track id; None if the file states none.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    track_id: int | None = None


@dataclass(frozen=True)
class KeypointRecord:
    """The persons of a video, by frame.

    Attributes:
        path: The file or folder.
        format: Name of the file's format.
        skeleton: Skeleton of the keypoints.
        people: Persons by frame index from 0 (see ``clock``); frames without persons may be missing.
        times: Times of the frames of ``people`` if ``clock`` is ``'time'``, s.
        stamps: Times of frames 0, 1, … if ``clock`` is ``'picture'`` and the file also has times, s.
        clock: Meaning of frame indices; see :class:`posediff.fileio.keypoint_files.contents.Contents`.
        first_frame: Index of the first picture in the file.
        first_is_open: Whether neither the format nor the user states ``first_frame``.
        listed: Range from the first to the last frame listed by the file, with or without persons.
        track_names: The file's own ids by ``track_id``, if they are not numbers.
        img_shape: (h, w) px of the pictures, if known.
        fps: Frame rate, if stated by the file.
        origin: Description of the origin of the keypoints.
        notes: Sentences for the user about how the file was read.
    """

    path: Path
    format: str
    skeleton: Skeleton
    people: dict[int, list[FoundPerson]]
    times: np.ndarray | None = None
    stamps: np.ndarray | None = None
    clock: str = 'picture'
    first_frame: int = 0
    first_is_open: bool = False
    listed: range = range(1)
    track_names: dict[int, str] = field(default_factory=dict)
    img_shape: tuple[int, int] | None = None
    fps: float | None = None
    origin: str = ''
    notes: tuple[str, ...] = ()

    @property
    def stamped_fps(self) -> float | None:
        """Frame rate computed from ``stamps``; None without stamps."""
        if self.stamps is None:
            return None
        return float((len(self.stamps) - 1) / (self.stamps[-1] - self.stamps[0]))

    def at(self, frame: VideoFrame) -> list[FoundPerson]:
        """Return the persons of a frame of a video."""
        if self.times is not None:
            return self.people.get(self._number_at(frame.time_s), [])
        return self.people.get(frame.picture if self.clock == 'picture' else frame.index, [])

    def _number_at(self, time_s: float) -> int:
        """Return the frame nearest in time, if it is within half the usual frame distance; else -1."""
        assert self.times is not None
        nearest = int(np.abs(self.times - time_s).argmin())
        usual = float(np.median(np.diff(self.times))) if len(self.times) > 1 else 1.0
        return nearest if abs(self.times[nearest] - time_s) <= usual / 2 else -1

    @property
    def num_poses(self) -> int:
        """Number of poses with at least one detected joint."""
        return sum(bool((person.scores > 0).any()) for people in self.people.values() for person in people)

    @property
    def has_track_ids(self) -> bool:
        """Whether some persons have a track id."""
        return any(person.track_id is not None for people in self.people.values() for person in people)

    @property
    def is_sparse(self) -> bool:
        """Whether most frames with persons have none in the previous and the next frame, i.e. frames are missing."""
        frames = {frame for frame, people in self.people.items() if any((one.scores > 0).any() for one in people)}
        alone = sum(frame - 1 not in frames and frame + 1 not in frames for frame in frames)
        return len(frames) > 1 and alone > len(frames) / 2

    def behind(self, num_frames: int) -> tuple[int, list[int]]:
        """Return the number of poses after the end of a video, and their frames as numbered in the file."""
        if self.times is not None:
            return 0, []
        late = {
            frame: sum(bool((person.scores > 0).any()) for person in people)
            for frame, people in self.people.items()
            if frame >= num_frames
        }
        return sum(late.values()), sorted(frame + self.first_frame for frame, count in late.items() if count)

    @property
    def last(self) -> int:
        """Index of the last frame listed by the file."""
        return self.listed.stop - 1

    @property
    def may_count_from_one(self) -> bool:
        """Whether the first listed frame is 1 and the format does not define the first index."""
        return self.first_is_open and self.times is None and self.listed.start == 1

    def seems_to_count_from_one(self, num_frames: int) -> bool:
        """Return whether frames seem to count from 1: the last one is ``num_frames``, none is 0, the format is open."""
        if not self.first_is_open or self.times is not None or not self.people:
            return False
        return min(self.people) >= 1 and self.last == num_frames
