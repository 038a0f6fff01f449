"""Sampling as the estimator runs it: hypotheses folded, chunked, guided."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from posediff.diffusion.guidance import guide
from posediff.diffusion.hypotheses import chunks
from posediff.diffusion.memory import peak_bytes
from posediff.diffusion.noise_schedulers import BetasNoiseScheduler
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.options import TestOptions

MEGABYTE = 2**20

# Denoiser → what a row of given shapes costs it, in bytes; measured once.
_ROW_COST: WeakKeyDictionary[BaseDenoiser, dict[Any, int]] = WeakKeyDictionary()


class ReverseProcess:
    """Turn noise (draws, B, M, …) and a condition (B, …) into x_0 (B, M, …).

    Args:
        denoiser: The network.
        noise_scheduler: The forward process.
        sampler: The reverse process.
        options: ``guidance_scale`` and ``memory_budget_mb`` are read.
    """

    def __init__(
        self, denoiser: BaseDenoiser, noise_scheduler: BetasNoiseScheduler, sampler: Any, options: TestOptions
    ) -> None:
        self.denoiser = denoiser
        self.noise_scheduler = noise_scheduler
        self.sampler = sampler
        self.options = options

    def __call__(self, condition: Tensor, noise: Tensor, num_inference_steps: int) -> Tensor:
        """Sample.

        Args:
            condition: (B, …).
            noise: float32 (draws, B, M, …).
            num_inference_steps: Denoiser calls per hypothesis.

        Returns:
            float32 (B, M, …) x_0.
        """
        batch, num_hypotheses = noise.shape[1:3]
        x_0 = torch.empty_like(noise[0])
        for clips, drawn in chunks(batch, num_hypotheses, self._max_rows(condition, noise)):
            rows = noise[:, clips, drawn].flatten(1, 2)
            found = self._sample_rows(condition[clips], rows, num_inference_steps)
            x_0[clips, drawn] = found.unflatten(0, x_0[clips, drawn].shape[:2])
        return x_0

    def _sample_rows(self, condition: Tensor, noise: Tensor, num_inference_steps: int) -> Tensor:
        scale = self.options.guidance_scale
        conditional = self.denoiser.prepare(condition)
        null = self.denoiser.prepare(torch.zeros_like(condition)) if scale != 1 else None

        def denoise(x_t: Tensor, t: int) -> Tensor:
            timestep = torch.full((1,), t, dtype=torch.int64, device=x_t.device)
            output = self.denoiser(x_t, timestep, conditional)
            if null is None:
                return output.float()
            return guide(output, self.denoiser(x_t, timestep, null), scale).float()

        return self.sampler.sample(denoise, noise, self.noise_scheduler, num_inference_steps)

    def _max_rows(self, condition: Tensor, noise: Tensor) -> int:
        """Rows that fit the memory budget, from what one more row was seen to cost."""
        budget = self.options.memory_budget_mb * MEGABYTE
        rows = noise.shape[1] * noise.shape[2]
        key = (tuple(noise.shape[3:]), tuple(condition.shape[1:]), condition.dtype, condition.device)
        cost = _ROW_COST.setdefault(self.denoiser, {}).get(key)
        if cost is None:
            cost = _ROW_COST[self.denoiser][key] = self._row_cost(condition, noise)
        return max(1, min(rows, int(budget // cost)))

    def _row_cost(self, condition: Tensor, noise: Tensor) -> int:
        x_t = noise[0, :1, 0]
        timestep = torch.zeros(1, dtype=torch.int64, device=x_t.device)

        def peak(rows: int) -> int:
            prepared = self.denoiser.prepare(condition[:1])
            return peak_bytes(lambda: self.denoiser(x_t.expand(rows, *x_t.shape[1:]), timestep, prepared))

        return max(peak(2) - peak(1), x_t.numel() * x_t.element_size())
