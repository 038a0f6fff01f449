"""Windows of one person for live lifting: each pose is lifted from past frames only, without delay."""

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
    """A frame whose pose is wanted.

    Attributes:
        start: First frame of its window, at the model's rate; negative before the beginning of the clip.
        points: (T, K, 2) px, keypoints of the window.
        observed: (T, K) bool.
        pose: (M, K, 3) mm, pose of the frame; None until the window is lifted.
    """

    start: int
    points: np.ndarray
    observed: np.ndarray
    pose: Tensor | None = None


class CausalTrack:
    """Cut one window per wanted frame; the window ends with the frame, and its last pose is the frame's pose.

    Windows are at the model's rate: their keypoints are interpolated between frames of the clip. Before the beginning
    of the clip, its first frame is repeated. The methods are those of
    :class:`~posediff.lifting.windowed_track.WindowedTrack`.

    Args:
        window: Frames per window, at the model's rate.
        step: Clip frames per window frame: fps / model_fps.
    """

    def __init__(self, window: int, step: float) -> None:
        self.window, self.step = window, step
        self.ended = False
        self.num_frames = 0
        self._frames: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=math.ceil((window - 1) * step) + 2)
        self._due: list[_Wanted] = []
        self._wanted: deque[_Wanted] = deque()  # not returned yet
        self._emitted = 0

    def push(self, points: np.ndarray, observed: np.ndarray, wanted: bool = True) -> None:
        """Add the next frame.

        Args:
            points: (K, 2) px, 0 if not observed.
            observed: (K,) bool.
            wanted: Whether the pose of the frame is lifted and returned.
        """
        self._frames.append((points, observed))
        self.num_frames += 1
        if wanted:
            start = round((self.num_frames - 1) / self.step) - self.window + 1
            self._wanted.append(_Wanted(start, *self._read()))
            self._due.append(self._wanted[-1])

    def end(self) -> None:
        """End the track: no frame will follow."""
        self.ended = True

    def due(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield the windows that can be lifted: start frame at the model's rate, points (T, K, 2), observed (T, K)."""
        for wanted in self._due:
            yield wanted.start, wanted.points, wanted.observed
        self._due = []

    def accept(self, start: int, poses: Tensor) -> None:
        """Store the poses of a lifted window, (T, M, K, 3) mm; windows are stored in the order of :meth:`due`.

        Raises:
            ValueError: This is not the next window.
        """
        first = next(wanted for wanted in self._wanted if wanted.pose is None)
        if first.start != start:
            raise ValueError(f'expected the poses of window {first.start}, got those of window {start}')
        first.pose = poses[-1]

    def ready(self) -> tuple[int, Tensor, np.ndarray, np.ndarray] | None:
        """Return the wanted frames that are lifted, each once.

        Returns:
            Number of wanted frames returned by earlier calls, poses (n, M, K, 3) mm, points (n, K, 2) and observed
            (n, K); None if there are no frames.
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
        """Whether the track ended and all wanted frames were returned."""
        return self.ended and not self._wanted

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the window that ends with the last frame: points (T, K, 2), observed (T, K)."""
        first = self.num_frames - len(self._frames)
        positions = self.num_frames - 1 - self.step * np.arange(self.window - 1, -1, -1)
        positions = np.maximum(np.round(positions, 9), 0)
        lower = np.floor(positions).astype(int)
        upper = np.ceil(positions).astype(int)
        share = (positions - lower).astype(np.float32)[:, None, None]
        points, observed = (np.stack(part) for part in zip(*self._frames, strict=True))
        between = points[lower - first] * (1 - share) + points[upper - first] * share
        return between.astype(np.float32), observed[lower - first] & observed[upper - first]
