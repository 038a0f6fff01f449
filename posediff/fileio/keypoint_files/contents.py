"""Unvalidated content of a keypoint file, as returned by the reader of a format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RawPerson:
    """A person in one frame, as stored in the file.

    Attributes:
        where: File and entry, for messages.
        frame: Index, text or image name of the frame; seconds if the file has times only.
        points: x and y of each keypoint, (K, 2).
        scores: (K,); None: the file has none, all keypoints with coordinates were detected.
        track: The person's id in the file; None if there is none.
    """

    where: str
    frame: Any
    points: Any
    scores: Any = None
    track: Any = None


@dataclass
class Contents:
    """All persons of a file, and the properties of its format.

    Attributes:
        people: Persons in the order of the file.
        skeleton: Name of the skeleton; None: determined by the number of keypoints (``by_count``), if possible.
        states_skeleton: Whether the file itself states ``skeleton``; the user must not contradict it.
        by_count: Skeletons by the number of keypoints. A list longer than its skeleton starts with it; the remaining
            keypoints (face, hands) are ignored.
        coordinates: A name of :data:`posediff.fileio.keypoint_files.coordinates.COORDINATES`.
        max_score: Largest valid score of the format; scores above 1 are clipped to 1.
        min_score: Smallest valid score; joints with scores below 0 were not detected.
        first_frame: Index of the first picture; None: not defined by the format, 0 unless the user states it.
        clock: Meaning of frames. ``'picture'``: index of the decoded picture; ``'frame'``: index at the constant rate
            of an earlier run; ``'time'``: seconds since the first picture.
        img_shape: (h, w) px of the pictures, if stated by the file.
        scaled: Whether to rescale coordinates from ``img_shape`` to the size of the pictures of the video.
        fps: Frame rate, if stated by the file.
        origin: Description of the origin of the keypoints, if stated by the file.
        all_frames: All frames listed by the file, with or without persons; empty if it lists persons only.
        stamps: Times of frames 0, 1, … in s, if the file has times and its frames seem to be all pictures; empty: no
            times, or ``clock`` is ``'time'``.
        notes: Sentences for the user about how the file was read.
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
