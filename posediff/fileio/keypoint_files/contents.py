"""What the reader of a format hands over, before it is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RawPerson:
    """A person in one frame, as the file has them.

    Attributes:
        where: The entry, for messages.
        frame: Number, text or image name of the frame; seconds where the file has times only.
        points: x and y of each keypoint, (K, 2).
        scores: (K,); None: the file has none, every keypoint with coordinates was seen.
        track: The file's id of the person; None: it has none.
    """

    where: str
    frame: Any
    points: Any
    scores: Any = None
    track: Any = None


@dataclass
class Contents:
    """Everybody in a file, and what its format says about them.

    Attributes:
        people: In the order of the file.
        skeleton: Name of the joint convention; None: it follows from the number of keypoints (``by_count``), if at all.
        states_skeleton: The file itself says ``skeleton``; it must not be contradicted.
        by_count: Skeletons of keypoint lists by their length. A list that is longer than its skeleton begins with it:
            what follows (face, hands) is not read.
        coordinates: A name of :data:`posediff.fileio.keypoint_files.coordinates.COORDINATES`.
        max_score: Largest score that the format can mean; above 1 it is cut to 1.
        min_score: Smallest one; below 0 the joint was not found.
        first_frame: Number of the first picture; None: the format leaves it open, 0 unless the user says otherwise.
        clock: ``'picture'``: frames are numbers of decoded pictures; ``'frame'``: of frames at the constant rate of an
            earlier run; ``'time'``: seconds since the first picture.
        img_shape: (h, w) px of the pictures, if the file says it.
        scaled: Coordinates are to be scaled from ``img_shape`` to the pictures at hand.
        fps: Frames a second, if the file says it.
        origin: Where the keypoints come from, in words, if the file says it.
        all_frames: Frames that the file lists, with or without people; empty where it lists people only.
        stamps: Seconds of frames 0, 1, …, where the file has times and its frames seem to be all pictures; empty: no
            times, or ``clock`` is ``'time'``.
        notes: What the user should know of how the file was read.
    """

    people: Iterable[RawPerson]
    skeleton: str | None = None
    states_skeleton: bool = False
    by_count: Mapping[int, str] = field(default_factory=dict)
    coordinates: str = 'px'
    max_score: float = 1.25
    min_score: float = -1.0
    first_frame: int | None = None
    clock: str = 'picture'
    img_shape: tuple[int, int] | None = None
    scaled: bool = False
    fps: float | None = None
    origin: str | None = None
    all_frames: list[Any] = field(default_factory=list)
    stamps: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
