"""Rescaling of noisy heatmaps by the diffusion step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posediff.models.layers.timestep_embedding import SinusoidalStepEmbedding


class StepRescaling(nn.Module):
    """Rescales noisy heatmaps by the step embedding: the step-adaptive heatmap of DiffPose (section 3.3).

    The paper does not give the formula. Here, every heatmap is multiplied by one plus a linear function of the
    embedding; the linear function is 0 at initialisation.

    Args:
        num_joints: K, heatmaps of the input.
        step_channels: Width of the embedding.
    """

    def __init__(self, num_joints: int, step_channels: int) -> None:
        super().__init__()
        self.embedding = SinusoidalStepEmbedding(step_channels, 2 * step_channels)
        self.scale = nn.Linear(step_channels, num_joints)
        nn.init.zeros_(self.scale.weight)
        nn.init.zeros_(self.scale.bias)

    def forward(self, x_t: Tensor, timestep: Tensor) -> Tensor:
        """Rescale (N, K, H, W) by the steps (N,) or (1,)."""
        scale = self.scale(torch.nn.functional.silu(self.embedding(timestep)))
        return x_t * (1 + scale)[..., None, None].to(x_t.dtype)
