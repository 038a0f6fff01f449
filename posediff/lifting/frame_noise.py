"""Noise per frame of a track: windows that share a frame share its noise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from posediff.diffusion.noise import Noise
from posediff.diffusion.normal_stream import NormalStream
from posediff.models.device_copies import to_device
from posediff.structures.named_generators import plain_id, seeded_generator

KEPT_BYTES = 2**14
"""Size of the part of a frame's noise that is kept in memory, bytes. If all draws of a frame fit in it, they are
generated once for all windows that contain the frame."""


class FrameNoise:
    """All draws of one frame, (draws, M, K, D), generated in parts when they are read.

    Args:
        seed, track, frame: Determine the values. The type of a track id has no influence
            (:func:`posediff.structures.named_generators.plain_id`).
        shape: (draws, M, K, D).
    """

    def __init__(self, seed: int, track: object, frame: int, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._seed_and_id = seed, (plain_id(track), frame)
        self._size = math.prod(shape[1:])
        self._at_a_time = max(KEPT_BYTES // max(4 * self._size, 1), 1)
        self._kept: tuple[int, Tensor] | None = None  # first draw and values
        self._stream: NormalStream | None = None

    def read(self, draw: int) -> Tensor:
        """Return one draw, float32 (M, K, D) on the CPU."""
        first = draw - draw % self._at_a_time
        if self._kept is None or self._kept[0] != first:
            self._kept = first, self._make(first)
        return self._kept[1][draw - first]

    def _make(self, first: int) -> Tensor:
        draws, *state = self.shape
        if draws <= self._at_a_time:
            return torch.randn(self.shape, generator=seeded_generator(*self._seed_and_id), dtype=torch.float32)
        last = min(first + self._at_a_time, draws)
        stream = self._stream or NormalStream(seeded_generator(*self._seed_and_id), 1, draws * self._size)
        values = stream.read(0, first * self._size, last * self._size)
        self._stream = stream if last < draws else None
        return values.view(last - first, *state)


class WindowNoise(Noise):
    """Noise (draws, B, M, T, K, D) of windows, stacked from the noise of their frames.

    Args:
        windows: For each of B windows, the noise of its T frames.
        device: Device of the noise.
    """

    def __init__(self, windows: Sequence[Sequence[FrameNoise]], device: torch.device) -> None:
        draws, num_hypotheses, *state = windows[0][0].shape
        self.windows, self.device = windows, device
        self.shape = (draws, len(windows), num_hypotheses, len(windows[0]), *state)

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        windows = self.windows[clips]
        places = {frame: place for place, frame in enumerate(dict.fromkeys(itertools.chain(*windows)))}
        frames = torch.stack([frame.read(draw)[hypotheses] for frame in places])  # each frame once: windows overlap
        noise = frames[torch.tensor([[places[frame] for frame in window] for window in windows])]  # (B, T, M, K, D)
        return to_device(noise.transpose(1, 2).contiguous(), self.device)
