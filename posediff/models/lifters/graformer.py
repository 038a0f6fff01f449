"""GraFormer, a supervised lifter of single frames."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from posediff.models.layers.chebyshev import ChebyshevConv, ChebyshevTerms
from posediff.models.layers.graformer import GraFormerBlock
from posediff.models.layers.shapes import CLIP_AXES, check_shape
from posediff.registry import MODELS
from posediff.structures.skeletons import get_skeleton

ORDER = 2


@MODELS.register_module()
class GraFormer(BaseModule):
    """GraFormer (Zhao et al., CVPR 2022) up to its last layer; frames are independent.

    The features are the three Chebyshev terms of the last hidden state, so that the linear map of the head is the last
    graph convolution. The released code of DiffPose (Gong et al., CVPR 2023) takes its initial pose from this network.

    Args:
        in_channels: Channels per 2D joint: 2, 3 with the mask of observed joints, or 3 more if they are centred.
        channels: C, a multiple of ``num_heads``; a joint has 3C features.
        num_layers: Number of blocks.
        num_heads: Heads of every attention.
        num_frames: T, any number.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K and the graph.
        dropout, attention_dropout, conv_dropout: See :class:`posediff.models.layers.graformer.GraFormerBlock`.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        in_channels: int = 2,
        channels: int = 96,
        num_layers: int = 5,
        num_heads: int = 4,
        num_frames: int = 1,
        skeleton: str = 'h36m17',
        dropout: float = 0.25,
        attention_dropout: float = 0.1,
        conv_dropout: float = 0.1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        graph = get_skeleton(skeleton)
        self.num_frames = num_frames
        self.input_shape = (num_frames, graph.num_joints, in_channels)
        self.channels = (ORDER + 1) * channels
        self.embedding = ChebyshevConv(in_channels, channels, graph, ORDER)
        rates = (dropout, attention_dropout, conv_dropout)
        self.blocks = nn.ModuleList(GraFormerBlock(channels, graph, num_heads, None, *rates) for _ in range(num_layers))
        self.terms = ChebyshevTerms(graph, ORDER)

    def forward(self, keypoints: Tensor) -> Tensor:
        """Map normalised 2D joints (B, T, K, in_channels) to features (B, T, K, 3C).

        Raises:
            ValueError: The clip has another number of frames, joints or channels.
        """
        check_shape(type(self).__name__, 'keypoints', keypoints, self.input_shape, CLIP_AXES)
        x = self.embedding(keypoints)
        for block in self.blocks:
            x = block(x)
        return self.terms(x)
