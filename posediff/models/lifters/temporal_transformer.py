"""A lifter with one token per frame."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor

from posediff.models.layers.frame_transformer import FrameTransformer
from posediff.models.layers.shapes import CLIP_AXES, check_shape
from posediff.registry import MODELS
from posediff.structures.skeletons import get_skeleton


@MODELS.register_module()
class TemporalTransformer(BaseModule):
    """A transformer over frames (:class:`posediff.models.layers.frame_transformer.FrameTransformer`); not in a paper.

    It is the temporal half of PoseFormer (Zheng et al., ICCV 2021), for all frames of the window instead of the middle
    one: the joints of a frame become a token by one linear map, not by a transformer over joints.

    Args:
        in_channels: Channels per 2D joint: 2, 3 with the mask of observed joints, or 3 more if they are centred.
        channels: Features per joint; 3 are enough for a head that is linear.
        hidden_channels: C, width of a token.
        depth: Number of transformer blocks.
        num_heads: Heads of every attention.
        mlp_ratio: Hidden width of every perceptron relative to C.
        num_frames: T; the position embedding depends on it.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K.
        drop_path_rate: Stochastic depth rate of the last block; the rates grow linearly from 0.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        in_channels: int = 2,
        channels: int = 3,
        hidden_channels: int = 256,
        depth: int = 4,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        num_frames: int = 81,
        skeleton: str = 'h36m17',
        drop_path_rate: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        num_joints = get_skeleton(skeleton).num_joints
        self.num_frames = num_frames
        self.input_shape = (num_frames, num_joints, in_channels)
        self.channels = channels
        self.trunk = FrameTransformer(
            num_frames,
            num_joints * in_channels,
            num_joints * channels,
            hidden_channels,
            depth,
            num_heads,
            mlp_ratio,
            drop_path_rate,
        )

    def forward(self, keypoints: Tensor) -> Tensor:
        """Map normalised 2D joints (B, T, K, in_channels) to features (B, T, K, channels).

        Raises:
            ValueError: The clip has another number of frames, joints or channels.
        """
        check_shape(type(self).__name__, 'keypoints', keypoints, self.input_shape, CLIP_AXES)
        return self.trunk(keypoints.flatten(2)).unflatten(-1, (-1, self.channels))
