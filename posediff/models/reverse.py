"""Sampling of hypotheses in chunks that fit a memory budget, with guidance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from posediff.diffusion.guidance import guide
from posediff.diffusion.hypotheses import chunks
from posediff.diffusion.memory import evaluation_mode, peak_bytes
from posediff.diffusion.noise import Draws, Noise
from posediff.diffusion.noise_schedulers import GaussianPath
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.mirrored_steps import MirroredSteps
from posediff.models.options import TestOptions

Watch = Callable[[float, Tensor], None]

MEGABYTE = 2**20

# Number of tensors of the size of x_t that exist besides the activations of the network: x_t, noise, x_0, epsilon,
# those of the previous step, and temporary results.
STATES = 8

# Denoiser → bytes per row for each key of shapes, dtypes and device; measured once per key.
_ROW_COST: WeakKeyDictionary[BaseDenoiser, dict[Any, int]] = WeakKeyDictionary()


class ReverseProcess:
    """The reverse process for all rows: from noise (draws, B, M, …) and a condition (B, …) to x_0 (B, M, …).

    Args:
        denoiser: The network, or :class:`MirroredSteps` of it.
        noise_scheduler: The forward process.
        sampler: The sampler.
        options: ``guidance_scale`` and ``memory_budget_mb`` are used.
    """

    def __init__(self, denoiser: Any, noise_scheduler: GaussianPath, sampler: Any, options: TestOptions) -> None:
        self.denoiser = denoiser
        self.noise_scheduler = noise_scheduler
        self.sampler = sampler
        self.options = options

    @torch.no_grad()
    def __call__(self, condition: Tensor, noise: Noise, num_inference_steps: int, watch: Watch | None = None) -> Tensor:
        """Sample x_0 for all hypotheses.

        Args:
            condition: (B, …).
            noise: (draws, B, M, …); drawn when it is needed.
            num_inference_steps: Denoiser calls per hypothesis.
            watch: Called as ``watch(t, output)`` after each conditional denoiser call, with the path's time and the raw
                output (N, …). Not called for memory measurements and unconditional calls (guidance).

        Returns:
            float32 (B, M, …) x_0.
        """
        batch, num_hypotheses, *state = noise.shape[1:]
        x_0 = torch.empty((batch, num_hypotheses, *state), dtype=torch.float32, device=condition.device)
        for clips, drawn in chunks(batch, num_hypotheses, self._max_rows(condition, noise)):
            found = self._sample_rows(condition[clips], noise.rows(clips, drawn), num_inference_steps, watch)
            x_0[clips, drawn] = found.unflatten(0, x_0[clips, drawn].shape[:2])
        return x_0

    def _sample_rows(self, condition: Tensor, noise: Draws, num_inference_steps: int, watch: Watch | None) -> Tensor:
        scale = self.options.guidance_scale
        conditional = self.denoiser.prepare(condition)
        null = self.denoiser.prepare(torch.zeros_like(condition)) if scale != 1 else None
        estimate: list[Tensor] = []  # x_0 of the previous call; without self-conditioning empty

        def denoise(x_t: Tensor, t: float) -> Tensor:
            timestep = self._network_time(t, x_t.device)
            output = self.denoiser(x_t, timestep, conditional, *estimate)
            if watch is not None:
                watch(t, output)
            if null is not None:
                output = guide(output, self.denoiser(x_t, timestep, null, *estimate), scale)
            if self.denoiser.self_conditioning:
                estimate[:] = [self.noise_scheduler.split(output, x_t, t)[0]]
            return output.float()

        return self.sampler.sample(denoise, noise, self.noise_scheduler, num_inference_steps)

    def _network_time(self, t: float, device: torch.device) -> Tensor:
        return self.noise_scheduler.network_time(self.noise_scheduler.as_tensor(t, device))

    def _max_rows(self, condition: Tensor, noise: Noise) -> int:
        """Return the number of rows that fit the memory budget, from the measured memory of one row."""
        budget = self.options.memory_budget_mb * MEGABYTE
        batch, num_hypotheses, *state = noise.shape[1:]
        if not batch:
            return 1
        weights = next(self.denoiser.parameters(), condition)
        autocast = torch.is_autocast_enabled(condition.device.type)
        precision = torch.get_autocast_dtype(condition.device.type) if autocast else None
        mirrored = isinstance(self.denoiser, MirroredSteps)
        network: BaseDenoiser = (
            self.denoiser.denoiser if mirrored else self.denoiser
        )  # mirrored steps are made for every sampling run
        shapes = tuple(state), tuple(condition.shape[1:])
        key = (mirrored, *shapes, condition.dtype, condition.device, weights.dtype, precision)
        costs = _ROW_COST.setdefault(network, {})
        if key not in costs:
            costs[key] = self._row_cost(condition[:1], tuple(state))
        return max(1, min(batch * num_hypotheses, int(budget // costs[key])))

    def _row_cost(self, condition: Tensor, state: tuple[int, ...]) -> int:
        x_t = torch.zeros((1, *state), device=condition.device)
        timestep = self._network_time(self.noise_scheduler.start, x_t.device)

        def peak(rows: int) -> int:
            return peak_bytes(lambda: self.denoiser(x_t.expand(rows, *state), timestep, prepared))

        with evaluation_mode(self.denoiser, condition.device):
            prepared = self.denoiser.prepare(condition)
            peak(1)  # autocast caches the cast weights in the first call
            network = peak(2) - peak(1)
        return max(network, 0) + STATES * x_t.numel() * x_t.element_size()
