"""Classifier-free guidance (Ho & Salimans 2021), written as diffusers writes it."""

from __future__ import annotations

import torch
from torch import Tensor


def guide(conditional: Tensor, unconditional: Tensor, guidance_scale: float) -> Tensor:
    """Combine the outputs with and without the condition: uncond + s·(cond - uncond).

    s = 1 is the conditional output; Ho & Salimans' w is s - 1. The formula is linear and keeps the prediction type.
    """
    return unconditional + guidance_scale * (conditional - unconditional)


def drop_condition(condition: Tensor, probability: float) -> Tensor:
    """Replace each clip's condition (B, …) by the null condition, zeros, with ``probability``."""
    keep = torch.rand(condition.shape[0], device=condition.device) >= probability
    return condition * keep.reshape(-1, *([1] * (condition.ndim - 1))).to(condition.dtype)
