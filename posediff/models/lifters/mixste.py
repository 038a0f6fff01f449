"""MixSTE, a supervised lifter."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from posediff.models.layers.shapes import CLIP_AXES, check_shape
from posediff.models.layers.spatiotemporal import SpatioTemporalTransformer
from posediff.registry import MODELS
from posediff.structures.skeletons import get_skeleton


@MODELS.register_module()
class MixSTE(BaseModule):
    """MixSTE (Zhang et al., CVPR 2022) up to its last normalisation; the head predicts the coordinates.

    Args:
        in_channels: Channels per 2D joint: 2, or 3 with the mask of observed joints.
        channels: C; 64 in DiffHPE, 512 in the MixSTE paper.
        depth: Number of levels, each with attention over joints and over frames.
        num_heads: Heads of every attention.
        mlp_ratio: Hidden width of every perceptron relative to C.
        num_frames: T; the position embedding depends on it.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K.
        drop_path_rate: Stochastic depth rate of the last level; the rates grow linearly from 0.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        in_channels: int = 2,
        channels: int = 64,
        depth: int = 8,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        num_frames: int = 27,
        skeleton: str = 'h36m17',
        drop_path_rate: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        num_joints = get_skeleton(skeleton).num_joints
        self.num_frames = num_frames
        self.input_shape = (num_frames, num_joints, in_channels)
        self.channels = channels
        self.embedding = nn.Linear(in_channels, channels)
        self.trunk = SpatioTemporalTransformer(
            num_frames, num_joints, channels, depth, num_heads, mlp_ratio, drop_path_rate
        )

    def forward(self, keypoints: Tensor) -> Tensor:
        """Compute features of every joint in every frame.

        Args:
            keypoints: (B, T, K, in_channels), normalised 2D joints.

        Returns:
            (B, T, K, channels).

        Raises:
            ValueError: The clip has another number of frames, joints or channels.
        """
        check_shape(type(self).__name__, 'keypoints', keypoints, self.input_shape, CLIP_AXES)
        return self.trunk(self.embedding(keypoints))
