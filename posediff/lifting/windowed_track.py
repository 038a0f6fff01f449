"""Overlapping windows of one person: cut windows as frames arrive, and return frames once their poses are final."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor


class WindowedTrack:
    """Cut one person's keypoints into overlapping windows while they arrive, and blend the lifted poses.

    Frames of the clip are interpolated to a grid at the model's rate. Windows are cut from the grid, and poses are
    interpolated back to the clip's frames. Memory is bounded by a few windows, since final frames are returned.

    Args:
        window: Grid frames per window.
        hop: Grid frames between the starts of two windows.
        step: Clip frames per grid frame: fps / model_fps.
    """

    def __init__(self, window: int, hop: int, step: float) -> None:
        self.window, self.hop, self.step = window, hop, step
        self.ended = False
        self.num_frames = 0  # of the clip, so far
        self._frames: list[tuple[np.ndarray, np.ndarray]] = []  # the last frames of the clip, from _first_frame on
        self._first_frame = 0
        self._grid: list[tuple[np.ndarray, np.ndarray]] = []  # the last frames of the grid, from _first_grid on
        self._first_grid = 0
        self._num_grid = 0
        self._last_position = 0.0  # of the last grid frame, in clip frames
        self._next_start = 0
        self._all_cut = False
        self._pending: set[int] = set()  # starts of windows that are due and not lifted yet
        self._blended: list[tuple[Tensor, float]] = []  # weighted sums of poses and of weights, from _first_blended on
        self._first_blended = 0
        self._emitted = 0  # clip frames that were returned
        self._ramp = np.minimum(np.arange(1, window + 1), np.arange(window, 0, -1)).astype(np.float32)

    def push(self, points: np.ndarray, observed: np.ndarray) -> None:
        """Add the next frame: points (K, 2) px, 0 if not observed, and observed (K,) bool."""
        self._frames.append((points, observed))
        self.num_frames += 1
        while self._num_grid * self.step <= self.num_frames - 1 + 1e-9:
            self._read_grid(min(self._num_grid * self.step, self.num_frames - 1))

    def end(self) -> None:
        """End the track: no frame will follow."""
        if self.ended or not self.num_frames:
            return
        self.ended = True
        if self._last_position < self.num_frames - 1 - 1e-9:  # the grid ends where the clip does
            self._read_grid(float(self.num_frames - 1))

    def due(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield the windows that can be lifted: start on the grid, points (T, K, 2), observed (T, K)."""
        while self._next_start + self.window <= self._num_grid:
            self._next_start += self.hop
            yield self._cut(self._next_start - self.hop)
        if self.ended and not self._all_cut:
            self._all_cut = True
            last = max(self._num_grid - self.window, 0)
            if self._next_start - self.hop < last:
                yield self._cut(last)

    def accept(self, start: int, poses: Tensor) -> None:
        """Add the poses (T, M, K, 3) mm of the lifted window from grid frame ``start`` to the weighted sums."""
        self._pending.discard(start)
        end = min(start + self.window, self._num_grid)
        while self._first_blended + len(self._blended) < end:
            self._blended.append((torch.zeros_like(poses[0]), 0.0))
        for place in range(max(start, self._first_blended), end):
            total, weight = self._blended[place - self._first_blended]
            share = float(self._ramp[place - start])
            self._blended[place - self._first_blended] = total + poses[place - start] * share, weight + share

    def ready(self) -> tuple[int, Tensor, np.ndarray, np.ndarray] | None:
        """Return the frames whose poses are final, each once.

        Returns:
            First frame, poses (n, M, K, 3) mm, points (n, K, 2) and observed (n, K); None if there are no frames.
        """
        settled = self._settled()
        found: list[Tensor] = []
        first = self._emitted
        while first + len(found) < self.num_frames:
            place = self._place(first + len(found))
            if place is None or math.ceil(place - 1e-9) >= settled:
                break
            found.append(self._pose_at(place))
        if not found:
            return None
        self._emitted += len(found)
        frames = self._frames[first - self._first_frame : self._emitted - self._first_frame]
        self._forget()
        points, observed = (np.stack(part) for part in zip(*frames, strict=True))
        return first, torch.stack(found), points, observed

    @property
    def is_empty(self) -> bool:
        """Whether the track ended and all frames were returned."""
        return self.ended and self._emitted == self.num_frames

    def _read_grid(self, position: float) -> None:
        """Append the keypoints at a position of the clip, interpolated between two frames."""
        lower = int(position)
        share = np.float32(position - lower)
        points, observed = self._frames[lower - self._first_frame]
        if share > 0:
            points_after, observed_after = self._frames[lower + 1 - self._first_frame]
            points = points * (1 - share) + points_after * share
            observed = observed & observed_after
        self._grid.append((points, observed))
        self._last_position = position
        self._num_grid += 1

    def _cut(self, start: int) -> tuple[int, np.ndarray, np.ndarray]:
        """Return a window; beyond the ends of the grid, the first or last frame is repeated."""
        self._pending.add(start)
        places = np.clip(np.arange(start, start + self.window), 0, self._num_grid - 1) - self._first_grid
        points, observed = (np.stack(part) for part in zip(*(self._grid[place] for place in places), strict=True))
        return start, points, observed

    def _settled(self) -> int:
        """Return the number of grid frames, from 0 on, whose poses are final."""
        if self._all_cut:
            return min([self._num_grid, *self._pending])
        # the last window starts no earlier, wherever the clip ends
        return min([self._num_grid - self.window, self._next_start, *self._pending])

    def _place(self, frame: int) -> float | None:
        """Return the position of a clip frame on the grid; None if it is not known yet."""
        regular = self._num_grid - 1
        if self.ended and self._last_position < regular * self.step - 1e-9:
            regular -= 1  # the last grid frame was placed at the end of the clip
        place = frame / self.step
        if place <= regular + 1e-9:
            return min(place, float(regular))
        if not self.ended:
            return None
        begin = regular * self.step
        return regular + (frame - begin) / (self.num_frames - 1 - begin)

    def _pose_at(self, place: float) -> Tensor:
        lower = math.floor(place + 1e-9)
        share = place - lower
        pose = self._mean(lower)
        return pose if share < 1e-9 else pose * (1 - share) + self._mean(lower + 1) * share

    def _mean(self, place: int) -> Tensor:
        total, weight = self._blended[place - self._first_blended]
        return total / weight

    def _forget(self) -> None:
        """Drop frames that no later window and no later result needs."""
        keep = min(self._emitted, int(self._num_grid * self.step), self.num_frames - 1)
        del self._frames[: max(keep - self._first_frame, 0)]
        self._first_frame = max(keep, self._first_frame)
        keep = max(min([self._num_grid - self.window, self._next_start, *self._pending]), 0)
        del self._grid[: max(keep - self._first_grid, 0)]
        self._first_grid = max(keep, self._first_grid)
        keep = min(math.floor(self._emitted / self.step), self._first_blended + len(self._blended))
        del self._blended[: max(keep - self._first_blended, 0)]
        self._first_blended = max(keep, self._first_blended)
