"""The interface of denoisers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor

from posediff.diffusion.prediction import PREDICTION_TYPES


class BaseDenoiser(BaseModule):
    """A network that predicts epsilon, x_0, v or the velocity from the noisy signal x_t, as the noise scheduler's
    ``prediction_type`` states.

    Axes: B clips, M hypotheses per clip, N = B·M rows, b-major (row ``b * M + m``).

    The output has the shape of x_t. In eval mode, rows are independent. A condition of batch B gives the same output as
    one of batch N, in which each row is repeated for its M hypotheses.

    Attributes:
        num_frames: T, the window length that the network was built for; None if it takes any length.
        self_conditioning: Whether :meth:`forward` takes a further argument ``estimate``: x_0 (N, …) as predicted by the
            previous call, or None (Chen et al., "Analog Bits", ICLR 2023, section 3.2).
        prediction_types: Prediction types that the network can learn.
    """

    num_frames: int | None = None
    self_conditioning: bool = False
    prediction_types: tuple[str, ...] = PREDICTION_TYPES

    @abstractmethod
    def forward(self, x_t: Tensor, timestep: Tensor, condition: Any) -> Tensor:
        """Evaluate the network once.

        Args:
            x_t: (N, …) noisy signal in head units.
            timestep: (N,), or (1,), one time for all rows: as the noise scheduler's ``time_input`` says. By default,
                int64 with 0 = least noise on tables, and float32 from 0 (noise) to 1 (clean) on continuous paths.
            condition: Condition of batch B or N, or the result of :meth:`prepare`.

        Returns:
            Tensor of x_t's shape and dtype.
        """

    def prepare(self, condition: Tensor) -> Any:
        """Compute everything that depends on the condition only, once per clip; :meth:`forward` accepts the result."""
        return condition

    def initialize_output(self, value: float) -> None:  # noqa: B027  optional
        """Initialise the output layer so that the output is approximately ``value`` everywhere.

        Called before weights are loaded if x_0 is predicted and has a background value, as heatmaps have. Otherwise the
        first steps of training only move the output to that value.
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
        raise ValueError(f'a condition of batch {batch} does not fit {num_rows} rows: not a multiple of it')
    return torch.repeat_interleave(condition, num_rows // batch, dim=0)
