"""Head for 3D joints whose state also contains the 2D joints."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from posediff.models.heads.lifting import LiftingHead
from posediff.registry import HEADS

IMAGE_CHANNELS = 2


@HEADS.register_module()
class ObservedLiftingHead(LiftingHead):
    """A head whose x_0 (…, T, K, 5) is [2D joint, 3D joint], as in the released code of Gong et al. (CVPR 2023).

    The first two channels, ``keypoints_2d_norm``, are 0 in encoded labels. They are observed: the start state of the
    conditioner sets them in training (:class:`posediff.models.start_state.StartState`). Decoding drops them.

    Args:
        skeleton, scale, zero_root, init_cfg: See :class:`posediff.models.heads.lifting.LiftingHead`.
    """

    observed_channels = IMAGE_CHANNELS

    def __init__(
        self,
        skeleton: str = 'h36m17',
        scale: float = 1.0,
        zero_root: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(skeleton, None, scale, False, zero_root, init_cfg=init_cfg)

    def encode(self, pose: Tensor) -> Tensor:
        """Convert joints (…, T, K, 3) mm to (…, T, K, 5)."""
        return F.pad(super().encode(pose), (IMAGE_CHANNELS, 0))

    def decode(self, x_0: Tensor) -> Tensor:
        """Convert (…, T, K, 5) to joints (…, T, K, 3) mm."""
        return super().decode(x_0[..., IMAGE_CHANNELS:])

    def state_shape(self, condition: Tensor) -> tuple[int, ...]:
        frames, joints, _ = super().state_shape(condition)
        return (frames, joints, IMAGE_CHANNELS + 3)

    def flip_state(self, x_0: Tensor) -> Tensor:
        parts = x_0.split([IMAGE_CHANNELS, 3], dim=-1)
        return torch.cat([self.flip_inputs(part) for part in parts], dim=-1)
