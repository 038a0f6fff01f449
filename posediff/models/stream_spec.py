"""The properties of a lifter that a stream of keypoints needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from posediff.structures.skeletons import Skeleton


@dataclass(frozen=True)
class StreamSpec:
    """The properties of a lifter that determine the windows of a video and their noise.

    Created by :meth:`posediff.models.estimator.PoseDiffusionEstimator.stream_spec`.

    Attributes:
        skeleton: Skeleton of the keypoints and of the poses.
        num_frames: T, frames of a window.
        fps: Frame rate of the training clips; None if the config does not state it.
        num_hypotheses: M, poses drawn for each window.
        num_inference_steps: Denoiser calls per hypothesis; None without diffusion.
        num_draws: Random draws per hypothesis; 0 without diffusion and with ``noise_free``.
        seed: Seed of the noise.
        input_mask: Whether the network takes the mask of observed keypoints as a third channel.
        device: Device of the weights.
        state_channels: D, channels of a joint in x_t.
    """

    skeleton: Skeleton
    num_frames: int
    fps: float | None
    num_hypotheses: int
    num_inference_steps: int | None
    num_draws: int
    seed: int
    input_mask: bool
    device: torch.device
    state_channels: int = 3

    @property
    def frame_noise_shape(self) -> tuple[int, int, int, int]:
        """(draws, M, K, D), shape of the noise of one frame."""
        return self.num_draws, self.num_hypotheses, self.skeleton.num_joints, self.state_channels


def common_window_length(lengths: Mapping[str, int | None]) -> int:
    """Return the common window length of the parts of a model.

    Args:
        lengths: Name of a part → its ``num_frames``; None where a part takes windows of any length.

    Raises:
        ValueError: No part has a length, or two parts have different ones.
    """
    given = {name: length for name, length in lengths.items() if length is not None}
    if len(set(given.values())) != 1:
        stated = ', '.join(f'{name} {length}' for name, length in given.items())
        raise ValueError(
            f'the parts of the model name {stated or "no"} window lengths (num_frames); expected exactly one'
        )
    return next(iter(given.values()))
