"""Base classes of the denoisers that compute the contribution of the condition once per clip."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.layers.convolution import constant_output
from posediff.models.layers.shapes import CLIP_AXES, check_shape
from posediff.models.layers.step_rescaling import StepRescaling
from posediff.structures.skeletons import get_skeleton


class PreparedDenoiser(BaseDenoiser):
    """A denoiser whose :meth:`forward` checks the shapes and prepares the condition unless that is done already.

    A subclass sets the two shapes and implements :meth:`project` and :meth:`denoise`.

    Attributes:
        state_shape: Shape of x_t without its leading axis.
        condition_shape: Shape of the condition without its leading axis.
        axes: Names of these axes in error messages; empty: sizes only.
        channel_axis: Axis of x_t along which the estimate is appended with ``self_conditioning``.
    """

    state_shape: tuple[int, int, int]
    condition_shape: tuple[int, int, int]
    axes: ClassVar[tuple[str, ...]] = ()
    channel_axis: ClassVar[int]

    @abstractmethod
    def project(self, condition: Tensor) -> Any:
        """Compute everything that depends on the condition (B, …) only.

        The result must not be a tensor: :meth:`forward` takes a tensor for a condition that is not prepared yet.
        """

    @abstractmethod
    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: Any) -> Tensor:
        """Evaluate the network once.

        Args:
            x_t: (N, …); with ``self_conditioning``, twice the channels: x_t and the estimate.
            timestep: Times (N,) or (1,); see :class:`BaseDenoiser`.
            prepared: Result of :meth:`project`.
        """

    def prepare(self, condition: Tensor) -> Any:
        """Check the condition and return the result of :meth:`project`.

        Args:
            condition: (B, …).

        Raises:
            ValueError: The condition has another shape than the denoiser was built for.
        """
        check_shape(type(self).__name__, 'condition', condition, self.condition_shape, self.axes)
        return self.project(condition)

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Any, estimate: Tensor | None = None) -> Tensor:
        """Evaluate the network once.

        Args:
            x_t: (N, …) noisy signal in head units.
            timestep: Times (N,) or (1,); see :class:`BaseDenoiser`.
            condition: (B, …) with B = N or B·M = N, or the result of :meth:`prepare`.
            estimate: (N, …) x_0 of the previous call, if the denoiser has ``self_conditioning``; None: zeros.

        Returns:
            Tensor of x_t's shape and dtype.

        Raises:
            ValueError: A shape or a timestep does not match, or an estimate is given without ``self_conditioning``.
        """
        check_shape(type(self).__name__, 'x_t', x_t, self.state_shape, self.axes)
        prepared = self.prepare(condition) if isinstance(condition, Tensor) else condition
        state = x_t
        if self.self_conditioning:
            estimate = torch.zeros_like(x_t) if estimate is None else estimate.to(x_t.dtype)
            state = torch.cat([x_t, estimate], dim=self.channel_axis)
        elif estimate is not None:
            raise ValueError(f'{type(self).__name__} takes an estimate of x_0 only with self_conditioning=True')
        return self.denoise(state, timestep, prepared).to(x_t.dtype)


class ClipDenoiser(PreparedDenoiser):
    """A denoiser of clips of joints: x_t (N, T, K, D), condition (B, T, K, C).

    Args:
        num_frames: T.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K.
        condition_channels: C.
        init_cfg: See :class:`mmengine.model.BaseModule`.
        self_conditioning: See :class:`posediff.models.denoisers.base.BaseDenoiser`.
        state_channels: D; 3 for 3D joints.

    Attributes:
        input_channels: Channels of the input of :meth:`denoise`.
    """

    axes = CLIP_AXES
    channel_axis = -1

    def __init__(
        self,
        num_frames: int,
        skeleton: str,
        condition_channels: int,
        init_cfg: dict | None = None,
        self_conditioning: bool = False,
        state_channels: int = 3,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.self_conditioning = self_conditioning
        self.input_channels = 2 * state_channels if self_conditioning else state_channels
        num_joints = get_skeleton(skeleton).num_joints
        self.num_frames = num_frames
        self.state_shape = (num_frames, num_joints, state_channels)
        self.condition_shape = (num_frames, num_joints, condition_channels)


class HeatmapDenoiser(PreparedDenoiser):
    """A denoiser of heatmaps: x_t (N, K, h, w), condition (B, C, h / factor, w / factor).

    Args:
        num_joints: K.
        heatmap_size: (h, w), multiples of ``factor``.
        condition_channels: C.
        factor: Size of x_t divided by the size of the condition.
        step_channels: Width of the step embedding.
        init_cfg: See :class:`mmengine.model.BaseModule`.
        self_conditioning: See :class:`posediff.models.denoisers.base.BaseDenoiser`.

    Attributes:
        input_channels: Channels of the input of :meth:`denoise`.
        rescaling: Rescales the input by the embedding of its step.
        detection: The output layer, set by the subclass.

    Raises:
        ValueError: ``heatmap_size`` is not a multiple of ``factor``.
    """

    channel_axis = 1
    detection: nn.Conv2d

    def __init__(
        self,
        num_joints: int,
        heatmap_size: tuple[int, int],
        condition_channels: int,
        factor: int,
        step_channels: int,
        init_cfg: dict | None = None,
        self_conditioning: bool = False,
    ) -> None:
        super().__init__(init_cfg)
        height, width = heatmap_size
        if height % factor or width % factor:
            raise ValueError(f'heatmap_size must be a multiple of {factor}, got {tuple(heatmap_size)}')
        self.state_shape = (num_joints, height, width)
        self.condition_shape = (condition_channels, height // factor, width // factor)
        self.self_conditioning = self_conditioning
        self.input_channels = 2 * num_joints if self_conditioning else num_joints
        self.rescaling = StepRescaling(self.input_channels, step_channels)

    def initialize_output(self, value: float) -> None:
        constant_output(self.detection, value)
