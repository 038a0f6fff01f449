"""Noise that belongs to the frames of a track: windows that share a frame share its noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posediff.diffusion.noise import Noise
from posediff.diffusion.normal_stream import NormalStream
from posediff.diffusion.seeds import plain_id, seeded_generator
from posediff.models.device_copies import to_device

KEPT_BYTES = 2**14  # of a frame's noise: what is smaller is made once, for all windows that hold the frame


class FrameNoise:
    """All draws of one frame, (draws, M, K, 3): kept where they are few, else made one by one when they are read.

    Args:
        seed, track, frame: The values follow from these alone; a track's id by what it says, not by its type
            (:func:`posediff.diffusion.seeds.plain_id`).
        shape: (draws, M, K, 3).
    """

    def __init__(self, seed: int, track: object, frame: int, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._of = seed, (plain_id(track), frame)
        self._whole: Tensor | None = None
        self._stream: NormalStream | None = None
        self._last: tuple[int, Tensor] | None = None

    def read(self, draw: int) -> Tensor:
        """Draw ``draw``, float32 (M, K, 3) on the CPU."""
        draws, *state = self.shape
        size = torch.Size(state).numel()
        if 4 * draws * size <= KEPT_BYTES:
            if self._whole is None:
                self._whole = torch.randn(self.shape, generator=seeded_generator(*self._of), dtype=torch.float32)
            return self._whole[draw]
        if self._last is None or self._last[0] != draw:
            stream = self._stream or NormalStream(seeded_generator(*self._of), draws, size)
            self._last = draw, stream.read(draw, 0, size).view(*state)
            self._stream = stream if draw + 1 < draws else None
        return self._last[1]


class WindowNoise(Noise):
    """Noise (draws, B, M, T, K, 3) of windows, made of their frames'.

    Args:
        windows: B windows of T frames.
        device: Where the noise is wanted.
    """

    def __init__(self, windows: Sequence[Sequence[FrameNoise]], device: torch.device) -> None:
        draws, num_hypotheses, *state = windows[0][0].shape
        self.windows, self.device = windows, device
        self.shape = (draws, len(windows), num_hypotheses, len(windows[0]), *state)

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        windows = [torch.stack([frame.read(draw) for frame in window], dim=1) for window in self.windows[clips]]
        return to_device(torch.stack(windows)[:, hypotheses], self.device)
