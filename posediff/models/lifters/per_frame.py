"""Lifters that see one frame: a linear map, and a perceptron with residual connections."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from posediff.models.layers.shapes import CLIP_AXES, check_shape
from posediff.registry import MODELS
from posediff.structures.skeletons import get_skeleton

COORDINATES = 3


class FrameLifter(BaseModule):
    """A lifter that maps the joints of each frame to the features of each joint, without other frames.

    Args:
        in_channels: Channels per 2D joint: 2, 3 with the mask of observed joints, or 3 more if they are centred.
        channels: Features per joint; 3 are enough for a head that is linear.
        num_frames: T.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    network: nn.Module

    def __init__(
        self, in_channels: int, channels: int, num_frames: int, skeleton: str, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.num_frames = num_frames
        self.num_joints = get_skeleton(skeleton).num_joints
        self.input_shape = (num_frames, self.num_joints, in_channels)
        self.channels = channels

    def forward(self, keypoints: Tensor) -> Tensor:
        """Map normalised 2D joints (B, T, K, in_channels) to features (B, T, K, channels).

        Raises:
            ValueError: The clip has another number of frames, joints or channels.
        """
        check_shape(type(self).__name__, 'keypoints', keypoints, self.input_shape, CLIP_AXES)
        features = self.network(keypoints.flatten(0, 1).flatten(1))
        return features.view(*keypoints.shape[:3], self.channels)


@MODELS.register_module()
class LinearLifter(FrameLifter):
    """A linear map from all joints of a frame: the simplest control.

    Args:
        in_channels, channels, num_frames, skeleton, init_cfg: See :class:`FrameLifter`.
    """

    def __init__(
        self,
        in_channels: int = 2,
        channels: int = COORDINATES,
        num_frames: int = 27,
        skeleton: str = 'h36m17',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(in_channels, channels, num_frames, skeleton, init_cfg)
        self.network = nn.Linear(self.num_joints * in_channels, self.num_joints * channels)


class ResidualBlock(nn.Module):
    """Twice a linear layer, batch normalisation, ReLU and dropout, and the input added.

    Args:
        width: Width of input and output.
        dropout: Probability.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(layer for _ in range(2) for layer in _layer(width, width, dropout)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width) to (N, width)."""
        return x + self.layers(x)


@MODELS.register_module()
class ResidualMLP(FrameLifter):
    """The perceptron of "A simple yet effective baseline for 3d human pose estimation" (Martinez et al., ICCV 2017).

    Its limit of the norm of the weights is left out; ``optim_wrapper`` has weight decay.

    Args:
        in_channels, channels, num_frames, skeleton, init_cfg: See :class:`FrameLifter`.
        hidden_channels: Width.
        num_blocks: Number of residual blocks.
        dropout: Probability.
    """

    def __init__(
        self,
        in_channels: int = 2,
        channels: int = COORDINATES,
        hidden_channels: int = 1024,
        num_blocks: int = 2,
        dropout: float = 0.5,
        num_frames: int = 27,
        skeleton: str = 'h36m17',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(in_channels, channels, num_frames, skeleton, init_cfg)
        self.network = nn.Sequential(
            *_layer(self.num_joints * in_channels, hidden_channels, dropout),
            *(ResidualBlock(hidden_channels, dropout) for _ in range(num_blocks)),
            nn.Linear(hidden_channels, self.num_joints * channels),
        )


def _layer(in_width: int, width: int, dropout: float) -> list[nn.Module]:
    return [nn.Linear(in_width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout)]
