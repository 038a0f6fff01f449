"""Mirroring inside every step of the sampler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from posediff.models.denoisers.base import BaseDenoiser


class MirroredSteps:
    """A denoiser whose output is averaged with the mirrored output for the mirrored state and condition (D3DP).

    It is not a module: its weights are those of the denoiser, and the state dict does not list them twice.

    Args:
        denoiser: The network.
        mirror: Mirrors states (…, state axes); linear, as mirroring is.

    Attributes:
        self_conditioning: That of the denoiser.
    """

    def __init__(self, denoiser: BaseDenoiser, mirror: Callable[[Tensor], Tensor]) -> None:
        self.denoiser, self.mirror = denoiser, mirror
        self.self_conditioning = denoiser.self_conditioning

    def prepare(self, conditions: Tensor) -> tuple[Any, Any]:
        """Prepare conditions (B, 2, …) of the input and of the mirrored input."""
        return self.denoiser.prepare(conditions[:, 0]), self.denoiser.prepare(conditions[:, 1])

    def __call__(self, x_t: Tensor, timestep: Tensor, prepared: tuple[Any, Any], *estimate: Tensor) -> Tensor:
        """Evaluate the network for both views: x_t (N, …) to (N, …)."""
        plain = self.denoiser(x_t, timestep, prepared[0], *estimate)
        mirrored = self.denoiser(self.mirror(x_t), timestep, prepared[1], *map(self.mirror, estimate))
        return (plain + self.mirror(mirrored)) / 2

    def parameters(self) -> Iterator[nn.Parameter]:
        """Iterate over the weights."""
        return self.denoiser.parameters()

    def modules(self) -> Iterator[nn.Module]:
        """Iterate over the layers."""
        return self.denoiser.modules()


def both_conditions(condition: Tensor, mirrored: Tensor) -> Tensor:
    """Join the conditions (B, …) of an input and of its mirror image for :class:`MirroredSteps`, (B, 2, …)."""
    return torch.stack([condition, mirrored], dim=1)
