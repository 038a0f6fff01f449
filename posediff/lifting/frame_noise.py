"""Noise that belongs to the frames of a track: windows that share a frame share its noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posediff.diffusion.noise import Noise
from posediff.diffusion.normal_stream import NormalStream
from posediff.diffusion.seeds import plain_id, seeded_generator
from posediff.models.device_copies import to_device


class FrameNoise:
    """All draws of one frame, (draws, M, K, 3), of which the last that was asked for is kept.

    Args:
        seed, track, frame: The values follow from these alone; a track's id by what it says, not by its type
            (:func:`posediff.diffusion.seeds.plain_id`).
        shape: (draws, M, K, 3).
    """

    def __init__(self, seed: int, track: object, frame: int, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._of = seed, (plain_id(track), frame)
        self._stream: NormalStream | None = None
        self._kept: tuple[int, Tensor] | None = None

    def read(self, draw: int) -> Tensor:
        """Draw ``draw``, float32 (M, K, 3) on the CPU."""
        if self._kept is None or self._kept[0] != draw:
            draws, *state = self.shape
            size = torch.Size(state).numel()
            stream = self._stream or NormalStream(seeded_generator(*self._of), draws, size)
            self._kept = draw, stream.read(draw, 0, size).view(*state)
            self._stream = stream if draw + 1 < draws else None
        return self._kept[1]


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
        windows = [torch.stack([frame.read(draw)[hypotheses] for frame in window], dim=1)
                   for window in self.windows[clips]]  # fmt: skip
        return to_device(torch.stack(windows), self.device)
