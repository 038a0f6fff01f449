"""What every source of pictures has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MAX_FPS = 1000.0
PHOTO_FPS = 1.0  # of one picture, where any rate does


@dataclass(frozen=True)
class Picture:
    """A picture of a source.

    Attributes:
        number: From 0, as pictures are decoded; images of a folder are counted with those that cannot be read.
        stamp_s: Its time stamp, s; None: it has none.
        image: (H, W, 3) uint8, red first, upright, with square pixels.
    """

    number: int
    stamp_s: float | None
    image: np.ndarray


class PictureSource(ABC):
    """Pictures in the order in which they are shown, as often as wanted.

    Args:
        name: For messages.

    Attributes:
        fps: Own rate in pictures a second; None: it has none.
        stated: The rate that it states, right or wrong; None: none.
        is_stamped: Whether its pictures have time stamps; else its rate is whatever the user says.
        stretches: (n,) s, ascending: all time stamps of the pictures, cut where they jump; empty: not known.
        length_s: As its header says; None: it does not.
        num_pictures: How many it holds; None: not known.
        img_shape: (h, w) px of the first picture; None: none can be decoded.
        notes: What a user should know about it; ``rate_note`` only if ``fps`` is used.
        damaged: Pieces that could not be decoded in the last reading.
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
        """What could not be decoded in the last reading, in words; None: nothing."""
        return f'{self.damaged} pieces of it cannot be decoded' if self.damaged else None

    @abstractmethod
    def __iter__(self) -> Iterator[Picture]:
        """Pictures that can be decoded."""
