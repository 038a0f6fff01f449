"""A frame of a video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class VideoFrame:
    """One frame of a video.

    Attributes:
        index: Frame index at the constant frame rate, from 0.
        time_s: Seconds since the first frame, index / fps.
        image: (H, W, 3) uint8 RGB, upright.
        repeated: Whether the file has no picture at this time, so that ``image`` is the previous picture.
        picture: Index of the source picture, counted from 0 in decoding order; None: ``index``. Readers that number
            decoded pictures (OpenCV, most pose estimators) use this number.
        after_cut: Whether the time stamps of the source jump or restart before this picture. ``index`` and ``time_s``
            continue by one frame, but time is missing, and persons may have moved.
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
