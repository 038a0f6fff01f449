"""The promise every conditioner keeps."""

from __future__ import annotations

from abc import abstractmethod

from mmengine.model import BaseModule
from torch import Tensor


class BaseConditioner(BaseModule):
    """Network that turns observed clips into the condition of the denoiser, once per clip.

    In eval mode clips are treated independently.

    Attributes:
        num_frames: T, the window length that the network was built for; None if it takes any length.
    """

    num_frames: int | None = None

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Compute the condition.

        Args:
            features: (B, …), for lifting ``keypoints_2d_norm`` (B, T, K, 2), for video the backbone's (B, T, C, h, w).

        Returns:
            (B, …).
        """

    def ready_to_train(self) -> str | None:
        """Return None, or one sentence that says what is missing before training may start."""
        return None
