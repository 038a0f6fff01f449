"""A frame of a video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class VideoFrame:
    """One frame.

    Attributes:
        index: Of the frame at the source's constant rate, from 0.
        time_s: Seconds since the first frame, index / fps.
        image: (H, W, 3) uint8, red first, upright.
        repeated: The file has no picture for this moment: it is the one before.
        picture: Which picture of the source is shown, counted from 0 as they are decoded; None: as ``index``. Readers
            that number decoded pictures (OpenCV's, most pose estimators') mean this number.
        after_cut: The time stamps of the source jump before this picture, or start again: the clock goes on by one
            tick, but time is missing, and people may be elsewhere.
    """

    index: int
    time_s: float
    image: np.ndarray
    repeated: bool = False
    picture: int = None  # type: ignore[assignment]
    after_cut: bool = False

    def __post_init__(self) -> None:
        if self.picture is None:
            object.__setattr__(self, 'picture', self.index)
