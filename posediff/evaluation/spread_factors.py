"""Factors that make the spread of hypotheses fit their errors, for each joint."""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.evaluation.spread_skill import squared_error_of_mean, squared_spread

LEAST_FRAMES = 500
"""Joints with fewer frames have the factor of all joints together: their own would be noise."""


class SpreadSums:
    """Sums of squared error of the mean and of squared spread by joint, where it was observed and where it was not.

    Args:
        num_joints: K.
        root: Joint at which the poses are aligned; it does not count.
    """

    def __init__(self, num_joints: int, root: int) -> None:
        self.root = root
        self.sums = torch.zeros(2, 3, num_joints, dtype=torch.float64)  # observed or not; error, spread, frames

    def add(self, hypotheses: Tensor, target: Tensor, observed: Tensor) -> None:
        """Count a clip.

        Args:
            hypotheses: (M, F, K, 3) mm, aligned at the root.
            target: (F, K, 3) mm, aligned at the root.
            observed: (F, K) bool.
        """
        values = squared_error_of_mean(hypotheses, target), squared_spread(hypotheses), torch.ones_like(target[..., 0])
        for kind, places in enumerate((observed, ~observed)):
            self.sums[kind] += torch.stack([(value * places).sum(0) for value in values]).double()

    def factors(self, num_hypotheses: int) -> Tensor:
        """Return the factors (2, K): sqrt(Σ error² / ((1 + 1/M) Σ spread²)), 1 for the root.

        With them, :func:`posediff.evaluation.spread_skill.error_to_spread` of every joint is 1 on the same frames.
        Joints with fewer than :data:`LEAST_FRAMES` frames get the factor of all joints together; without any frame,
        1.

        Raises:
            ValueError: All hypotheses of a joint are equal: no factor makes their spread fit.
        """
        error, spread, frames = self.sums.clone().unbind(1)
        for value in (error, spread, frames):
            value[:, self.root] = 0
        few = frames < LEAST_FRAMES
        error, spread = (torch.where(few, value.sum(1, keepdim=True), value) for value in (error, spread))
        counted = torch.where(few, frames.sum(1, keepdim=True), frames) > 0
        if bool((counted & (spread == 0)).any()):
            raise ValueError('hypotheses are all equal: their spread cannot be calibrated')
        factors = torch.where(counted, (error / ((1 + 1 / num_hypotheses) * spread)).sqrt(), torch.ones_like(error))
        factors[:, self.root] = 1
        return factors.float()
