"""One person's keypoints while somebody waits for the pose: each from the past alone, and at once."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass
class _Wanted:
    start: int
    points: np.ndarray
    observed: np.ndarray
    pose: Tensor | None = None


class CausalTrack:
    """For every wanted frame the window that ends with it, of which the last pose is its own.

    The window's frames are one apart at the model's rate and read between those of the clip; before the clip's first
    frame that one is repeated. With the face of :class:`~posediff.lifting.windowed_track.WindowedTrack`.

    Args:
        window: Frames of a window, at the model's rate.
        step: Clip frames from one of them to the next, fps / model_fps.
    """

    def __init__(self, window: int, step: float) -> None:
        self.window, self.step = window, step
        self.ended = False
        self.num_frames = 0
        self._frames: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=math.ceil((window - 1) * step) + 2)
        self._due: list[_Wanted] = []
        self._wanted: deque[_Wanted] = deque()  # not handed out yet
        self._emitted = 0

    def push(self, points: np.ndarray, observed: np.ndarray, wanted: bool = True) -> None:
        """Add the next frame: (K, 2) px, 0 where not observed; (K,) bool; and whether its pose is wanted."""
        self._frames.append((points, observed))
        self.num_frames += 1
        if wanted:
            start = round((self.num_frames - 1) / self.step) - self.window + 1
            self._wanted.append(_Wanted(start, *self._read()))
            self._due.append(self._wanted[-1])

    def end(self) -> None:
        """No frame will follow."""
        self.ended = True

    def due(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Windows that can be lifted now: start at the model's rate, points (T, K, 2), observed (T, K)."""
        for wanted in self._due:
            yield wanted.start, wanted.points, wanted.observed
        self._due = []

    def accept(self, start: int, poses: Tensor) -> None:
        """Take back a lifted window, in the order in which they were due: (T, M, K, 3) mm."""
        first = next(wanted for wanted in self._wanted if wanted.pose is None)
        if first.start != start:
            raise ValueError(f'the window from {first.start} is awaited, not that from {start}')
        first.pose = poses[-1]

    def ready(self) -> tuple[int, Tensor, np.ndarray, np.ndarray] | None:
        """Wanted frames that were lifted, each handed out once.

        Returns:
            How many were handed out before, poses (n, M, K, 3) mm, points (n, K, 2) and observed (n, K); None if there
            are none.
        """
        found: list[_Wanted] = []
        while self._wanted and self._wanted[0].pose is not None:
            found.append(self._wanted.popleft())
        if not found:
            return None
        self._emitted += len(found)
        poses = torch.stack([one.pose for one in found if one.pose is not None])
        points, observed = (np.stack([getattr(one, name)[-1] for one in found]) for name in ('points', 'observed'))
        return self._emitted - len(found), poses, points, observed

    @property
    def is_empty(self) -> bool:
        """Whether the track ended and every wanted frame was handed out."""
        return self.ended and not self._wanted

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        """The window that ends with the last frame."""
        first = self.num_frames - len(self._frames)
        positions = self.num_frames - 1 - self.step * np.arange(self.window - 1, -1, -1)
        positions = np.maximum(np.round(positions, 9), 0)
        lower = np.floor(positions).astype(int)
        upper = np.ceil(positions).astype(int)
        share = (positions - lower).astype(np.float32)[:, None, None]
        points, observed = (np.stack(part) for part in zip(*self._frames, strict=True))
        between = points[lower - first] * (1 - share) + points[upper - first] * share
        return between.astype(np.float32), observed[lower - first] & observed[upper - first]
