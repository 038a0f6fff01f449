"""What every format is read into."""

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
        keypoints: (K, 2) float32 px; 0 where not seen.
        scores: (K,) float32 in [0, 1]; 0 where not seen.
        track_id: Who it is, over time; None: the file does not say.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    track_id: int | None = None


@dataclass(frozen=True)
class KeypointRecord:
    """The people of a video, by picture.

    Attributes:
        path: Where they are from.
        format: Name of the file's format.
        skeleton: Of the keypoints.
        people: By number of the picture, from 0 (see ``clock``); frames without people may be missing.
        times: Seconds of each of ``people``'s frames where ``clock`` is ``'time'``.
        stamps: Seconds of frames 0, 1, … where ``clock`` is ``'picture'`` and the file has times as well.
        clock: Of which count the frames are; see :class:`posediff.fileio.keypoint_files.contents.Contents`.
        first_frame: The number that the file gives the first picture.
        first_is_open: Neither the format nor the user says that number.
        listed: From the first to the last frame that the file lists, with or without people.
        track_names: The file's own ids by ``track_id``, where they are no numbers.
        img_shape: (h, w) px of the pictures, if known.
        fps: Frames a second, if the file says it.
        origin: Where the keypoints come from, in words.
        notes: What the user should know of how the file was read.
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
        """Frames a second by ``stamps``; None: there are none."""
        if self.stamps is None:
            return None
        return float((len(self.stamps) - 1) / (self.stamps[-1] - self.stamps[0]))

    def at(self, frame: VideoFrame) -> list[FoundPerson]:
        """The people of a frame of a video."""
        if self.times is not None:
            return self.people.get(self._number_at(frame.time_s), [])
        return self.people.get(frame.picture if self.clock == 'picture' else frame.index, [])

    def _number_at(self, time_s: float) -> int:
        """The frame that is nearest in time, if it is nearer than half the usual distance between two; else -1."""
        assert self.times is not None
        nearest = int(np.abs(self.times - time_s).argmin())
        usual = float(np.median(np.diff(self.times))) if len(self.times) > 1 else 1.0
        return nearest if abs(self.times[nearest] - time_s) <= usual / 2 else -1

    @property
    def num_poses(self) -> int:
        """Poses of which at least one joint was seen."""
        return sum(bool((person.scores > 0).any()) for people in self.people.values() for person in people)

    @property
    def has_track_ids(self) -> bool:
        """Whether some of the people have an id."""
        return any(person.track_id is not None for people in self.people.values() for person in people)

    @property
    def is_sparse(self) -> bool:
        """Whether most frames with people have nobody in the frame before and in the one behind: frames are missing."""
        frames = {frame for frame, people in self.people.items() if any((one.scores > 0).any() for one in people)}
        alone = sum(frame - 1 not in frames and frame + 1 not in frames for frame in frames)
        return len(frames) > 1 and alone > len(frames) / 2

    def behind(self, num_frames: int) -> tuple[int, list[int]]:
        """How many poses lie behind a video of so many frames, and the numbers of their frames, as in the file."""
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
        """Number of the last frame that the file lists."""
        return self.listed.stop - 1

    @property
    def may_count_from_one(self) -> bool:
        """Whether 1 is the first frame that the file names, and the format leaves open where frames begin."""
        return self.first_is_open and self.times is None and self.listed.start == 1

    def seems_to_count_from_one(self, num_frames: int) -> bool:
        """Whether frames end just behind the last, none is the first, and the format leaves open where they begin."""
        if not self.first_is_open or self.times is not None or not self.people:
            return False
        return min(self.people) >= 1 and self.last == num_frames
