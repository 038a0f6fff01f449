"""The interface of conditioners."""

from __future__ import annotations

from abc import abstractmethod

from mmengine.model import BaseModule
from torch import Tensor


class BaseConditioner(BaseModule):
    """A network that computes the condition of the denoiser from the observed clip, once per clip.

    In eval mode, clips are processed independently.

    Attributes:
        num_frames: T, the window length that the network was built for; None if it takes any length.
    """

    num_frames: int | None = None

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Compute the condition.

        Args:
            features: (B, …): ``keypoints_2d_norm`` (B, T, K, 2) for lifting, feature maps (B, T, C, h, w) for video.

        Returns:
            (B, …).
        """

    def state_mean(self, condition: Tensor) -> Tensor | None:
        """Return the pose about which the model diffuses, if the condition has one.

        With a mean, the state of the diffusion is x_0 minus the mean: the network models the error of the mean, and a
        sample is the mean plus the sampled error.

        Args:
            condition: (B, …), a result of :meth:`forward`.

        Returns:
            (B, …) in head units, of the shape of x_0; None: zero.
        """
        return None

    def ready_to_train(self) -> str | None:
        """Return a sentence about what is missing for training, or None."""
        return None
