"""The interface of picture sources."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MAX_FPS = 1000.0
PHOTO_FPS = 1.0  # rate of a single picture, where any rate is valid


@dataclass(frozen=True)
class Picture:
    """A decoded picture of a source.

    Attributes:
        number: Index from 0 in decoding order; in a folder of images, unreadable images are counted.
        stamp_s: Time stamp, s; None if there is none.
        image: (H, W, 3) uint8 RGB, upright, with square pixels.
    """

    number: int
    stamp_s: float | None
    image: np.ndarray


class PictureSource(ABC):
    """An iterable over pictures in presentation order; can be iterated repeatedly.

    Args:
        name: Name for messages.

    Attributes:
        fps: The source's own rate in pictures per second; None if it has none.
        stated: The rate stated by the header, right or wrong; None if there is none.
        is_stamped: Whether pictures have time stamps; otherwise the user chooses the rate.
        stretches: All time stamps of the pictures, s: one ascending array (n,) for each part between two jumps; empty:
            unknown.
        length_s: Length stated by the header, s; None if there is none.
        num_pictures: Number of pictures; None: unknown.
        img_shape: (h, w) px of the first picture; None if none can be decoded.
        notes: Sentences for the user; ``rate_note`` applies only if ``fps`` is used.
        damaged: Number of packets that could not be decoded in the last iteration.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.fps: float | None = None
        self.stated: float | None = None
        self.is_stamped = True
        self.stretches: tuple[np.ndarray, ...] = ()
        self.length_s: float | None = None
        self.num_pictures: int | None = None
        self.img_shape: tuple[int, int] | None = None
        self.notes: list[str] = []
        self.rate_note: str | None = None
        self.damaged = 0

    @property
    def complaint(self) -> str | None:
        """What could not be decoded in the last iteration, as a sentence; None if nothing."""
        return f'{self.damaged} of its packets cannot be decoded' if self.damaged else None

    @abstractmethod
    def __iter__(self) -> Iterator[Picture]:
        """Yield the pictures that can be decoded."""
