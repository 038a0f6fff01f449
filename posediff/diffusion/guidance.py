"""Classifier-free guidance (Ho & Salimans 2021), in the notation of diffusers."""

from __future__ import annotations

import torch
from torch import Tensor


def guide(conditional: Tensor, unconditional: Tensor, guidance_scale: float) -> Tensor:
    """Return uncond + s·(cond - uncond) of the outputs with and without condition.

    s = 1 gives the conditional output; w of Ho & Salimans is s - 1. The formula is valid for all prediction types.
    """
    return unconditional + guidance_scale * (conditional - unconditional)


def drop_condition(condition: Tensor, probability: float) -> Tensor:
    """Set the condition (B, …) of random clips to zeros, the null condition, with the given probability."""
    keep = torch.rand(condition.shape[0], device=condition.device) >= probability
    return condition * keep.reshape(-1, *([1] * (condition.ndim - 1))).to(condition.dtype)
