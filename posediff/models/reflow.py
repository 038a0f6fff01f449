"""Pairs of noise and the sample that a trained model makes of it: one round of reflow."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from posediff.diffusion.noise import GivenNoise
from posediff.diffusion.noise_schedulers import GaussianPath
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.options import TestOptions
from posediff.models.reverse import ReverseProcess


class Teacher:
    """A frozen denoiser that makes x_0 of given noise, for training on pairs (epsilon, x_0).

    On such pairs, the noise determines x_0, so the paths of the trained model hardly cross and few steps follow them
    (Liu et al., "Flow Straight and Fast", ICLR 2023, section 2.2). It is no module: its weights are not part of the
    state dict of the trained model.

    Args:
        denoiser: The trained denoiser; set to eval mode, without gradients.
        noise_scheduler: Path that it was trained on.
        sampler: Deterministic sampler.
        num_inference_steps: Denoiser calls per sample.
        memory_budget_mb: See :class:`posediff.models.options.TestOptions`.

    Raises:
        ValueError: The sampler draws noise after x_T, or cannot make this number of calls.
    """

    def __init__(
        self,
        denoiser: BaseDenoiser,
        noise_scheduler: GaussianPath,
        sampler: Any,
        num_inference_steps: int,
        memory_budget_mb: float = 1024.0,
    ) -> None:
        draws = sampler.num_draws(noise_scheduler, num_inference_steps)
        if draws != 1:
            raise ValueError(
                f'pairs of noise and sample need a deterministic sampler; {type(sampler).__name__} draws noise '
                f'{draws - 1} times after x_T'
            )
        self.denoiser = denoiser.eval().requires_grad_(False)
        options = TestOptions(memory_budget_mb=memory_budget_mb)
        self._reverse = ReverseProcess(self.denoiser, noise_scheduler, sampler, options)
        self.num_inference_steps = num_inference_steps

    def sample(self, condition: Tensor, noise: Tensor) -> Tensor:
        """Return the x_0 (B, …) that the teacher makes of ``noise`` (B, …) for a condition (B, …)."""
        x_0 = self._reverse(condition.detach(), GivenNoise(noise[None, :, None]), self.num_inference_steps)[:, 0]
        torch.clear_autocast_cache()
        return x_0
