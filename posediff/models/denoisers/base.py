"""The promise every denoiser keeps."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor


class BaseDenoiser(BaseModule):
    """Network that looks at a noisy signal and says what the noise scheduler's ``prediction_type`` asks for.

    Axes: B clips, M hypotheses a clip, N = B·M rows folded b-major (row ``b * M + m``).

    A denoiser keeps the shape of x_t, treats rows independently in eval mode, and gives the same for a condition of
    batch B (each row repeated for its M hypotheses) as for one of batch N.

    Attributes:
        num_frames: T, the window length that the network was built for; None if it takes any length.
    """

    num_frames: int | None = None

    @abstractmethod
    def forward(self, x_t: Tensor, timestep: Tensor, condition: Any) -> Tensor:
        """Evaluate the network once.

        Args:
            x_t: (N, …) noisy signal in head units.
            timestep: int64 (N,), 0 = least noise; or (1,), one step for all rows.
            condition: Condition of batch B or N, or what :meth:`prepare` made of it.

        Returns:
            Tensor of x_t's shape and dtype.
        """

    def prepare(self, condition: Tensor) -> Any:
        """Do condition-only work once per clip; :meth:`forward` gives the same on the result as on the condition."""
        return condition

    def initialize_output(self, value: float) -> None:  # noqa: B027  most have nothing to do
        """Begin training with an output of ``value`` everywhere, before any weights are read.

        Called where x_0 is predicted and is at rest at some value, as heatmaps are. An output layer that begins
        elsewhere has to walk there: with Adam no faster than the sum of its learning rates.
        """


def expand_to_rows(condition: Tensor, num_rows: int) -> Tensor:
    """Repeat a condition of batch B for N = B·M rows, b-major.

    Args:
        condition: (B, …) or (N, …).
        num_rows: N.

    Returns:
        (N, …); the input itself when B = N.

    Raises:
        ValueError: N is not a multiple of B.
    """
    batch = condition.shape[0]
    if batch == num_rows:
        return condition
    if batch == 0 or num_rows % batch:
        raise ValueError(f'a condition of batch {batch} does not fit {num_rows} rows: rows must be a multiple of it')
    return torch.repeat_interleave(condition, num_rows // batch, dim=0)
