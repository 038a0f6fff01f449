"""Noise that belongs to the frames of a track."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from posediff.lifting import frame_noise
from posediff.lifting.frame_noise import FrameNoise, WindowNoise

SHAPE = (3, 2, 5, 3)  # draws, M, K, 3
CPU = torch.device('cpu')


def at_once(seed: int, track: str, frame: int) -> torch.Tensor:
    """(draws, M, K, 3) from the generator of (seed, track, frame); ``track`` as Python writes it."""
    digest = hashlib.blake2b(f'{seed}:({track}, {frame})'.encode(), digest_size=8).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest, 'little') >> 1)
    return torch.randn((SHAPE[0], 1, *SHAPE[1:]), generator=generator)[:, 0]


def windows(track: object) -> list[list[FrameNoise]]:
    """Three of four frames each that share frames."""
    frames = {frame: FrameNoise(7, track, frame, SHAPE) for frame in range(10)}
    return [[frames[frame] for frame in range(start, start + 4)] for start in (0, 2, 5)]


@pytest.mark.parametrize('kept_bytes', [0, 2**14])
@pytest.mark.parametrize(('track', 'written'), [('clip', "'clip'"), (3, '3'), ((0, 'a'), "(0, 'a')")])
def test_values_are_those_of_a_whole_draw_for_each_frame(
    track: object, written: str, kept_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_noise, 'KEPT_BYTES', kept_bytes)
    expected = torch.stack([
        torch.stack([at_once(7, written, frame) for frame in range(start, start + 4)], dim=2) for start in (0, 2, 5)
    ], dim=1)  # fmt: skip
    noise = WindowNoise(windows(track), CPU)
    assert noise.shape == tuple(expected.shape) == (3, 3, 2, 4, 5, 3)
    assert torch.equal(noise.whole(), expected)
    assert torch.equal(noise.whole(), expected)  # a second run, e.g. the mirrored one
    for clips, drawn in ((slice(1, 3), slice(0, 2)), (slice(2, 3), slice(1, 2))):
        rows = noise.rows(clips, drawn)
        assert torch.equal(torch.stack(list(rows)), expected[:, clips, drawn].flatten(1, 2))


@pytest.mark.parametrize('track', [np.int64(3), np.uint8(3), 3.0, np.float64(3), '3', np.str_('3')])
def test_the_type_of_an_id_does_not_matter(track: object) -> None:
    assert torch.equal(FrameNoise(7, track, 4, SHAPE).read(1), at_once(7, '3', 4)[1])
