"""The interface of conditioners."""

from __future__ import annotations

from abc import abstractmethod

from mmengine.model import BaseModule
from torch import Tensor

from posediff.models.start_state import StartState


class BaseConditioner(BaseModule):
    """A network that computes the condition of the denoiser from the observed clip, once per clip.

    In eval mode, clips are processed independently.

    Attributes:
        num_frames: T, the window length that the network was built for; None if it takes any length.
        has_start_state: Whether :meth:`start_state` returns one.
    """

    num_frames: int | None = None
    has_start_state: bool = False

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

    def start_state(self, condition: Tensor) -> StartState | None:
        """Return the distribution from which the reverse process starts; None: standard normal noise.

        Args:
            condition: (B, …) as :meth:`forward` returned it.
        """
        return None

    def ready_to_train(self) -> str | None:
        """Return a sentence about what is missing for training, or None."""
        return None
