"""Hypotheses for an input and its mirror image, each with its own noise, as one set."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from posediff.diffusion.noise import Noise

Sample = Callable[[Tensor, Noise], Tensor]
"""Function of a condition (B, …) and noise (draws, B, m, …) that returns x_0 (B, m, …)."""


class AlternateNoise(Noise):
    """The noise of every second hypothesis.

    Args:
        noise: Noise (draws, B, M, …).
        first: 0 for hypotheses 0, 2, …; 1 for 1, 3, ….
    """

    def __init__(self, noise: Noise, first: int) -> None:
        self.noise, self.first = noise, first
        draws, batch, num_hypotheses, *state = noise.shape
        self.shape = (draws, batch, len(range(first, num_hypotheses, 2)), *state)

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        begin, end, _ = hypotheses.indices(self.shape[2])
        return self.noise.read(draw, clips, slice(self.first + 2 * begin, self.first + 2 * end - 1))[:, ::2]


def sample_both_views(
    sample: Sample, conditions: tuple[Tensor, Tensor], noise: Noise, mirror: Callable[[Tensor], Tensor]
) -> Tensor:
    """Sample even hypotheses for the input and odd ones for the mirrored input, and mirror those back.

    With one hypothesis, the mirrored input is not used.

    Args:
        sample: Draws x_0.
        conditions: Conditions of the input and of the mirrored input, (B, …) each.
        noise: Noise (draws, B, M, …); that of odd hypotheses is used for the mirrored input as it is.
        mirror: Mirrors states (…, state axes).

    Returns:
        x_0 (B, M, …).
    """
    plain = sample(conditions[0], AlternateNoise(noise, 0))
    if noise.shape[2] == 1:
        return plain
    x_0 = torch.empty((plain.shape[0], noise.shape[2], *plain.shape[2:]), dtype=plain.dtype, device=plain.device)
    x_0[:, ::2] = plain
    x_0[:, 1::2] = mirror(sample(conditions[1], AlternateNoise(noise, 1)))
    return x_0
