"""A conditioner whose condition includes the pose of a frozen lifter, about which the model diffuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from posediff.models.conditioners.centring import centre_window
from posediff.models.conditioners.frozen_lifter import FrozenLifterConditioner
from posediff.registry import CONDITIONERS
from posediff.structures.skeletons import get_skeleton

REGRESSION_PREFIX = 'head.regression.'
COORDINATES = 3


@CONDITIONERS.register_module()
class PosePriorConditioner(FrozenLifterConditioner):
    """A conditioner that returns the 2D joints and the pose of a frozen lifter, which is the mean of the state.

    The diffusion model learns the distribution of the lifter's error given the joints and the pose: it starts from
    noise around the pose (:meth:`state_mean`). The mean of this distribution is already in the lifter, which has been
    trained for it; the denoiser can be small. Not in a paper; CARD (Han et al., NeurIPS 2022) diffuses about the mean
    of a regression in a similar way.

    Args:
        lifter: Config of a lifter in ``MODELS``.
        scale: Head units per metre: ``scale`` of the model's :class:`posediff.models.heads.lifting.LiftingHead`. The
            lifter was trained with ``scale=1``.
        checkpoint: Checkpoint of a supervised model with this lifter as its conditioner and a ``LiftingHead`` with
            ``in_channels``; see :class:`FrozenLifterConditioner`.
        center: See :class:`posediff.models.conditioners.frozen_lifter.LifterConditioner`; must be as in the training of
            the lifter. The joints in the condition are the same as those for the lifter.
        flip_skeleton: Average the pose with the mirrored pose of the mirrored joints, of this skeleton; None: the pose
            of the joints. The lifter runs twice, the denoiser as often as before.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        lifter: dict[str, Any],
        scale: float,
        checkpoint: str | Path | None = None,
        center: bool = False,
        flip_skeleton: str | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(lifter, checkpoint, center, init_cfg)
        self.scale = scale
        self.flip_indices: Tensor | None
        swapped = None if flip_skeleton is None else torch.tensor(get_skeleton(flip_skeleton).flip_indices)
        self.register_buffer('flip_indices', swapped, persistent=False)
        self.regression = nn.Linear(self.lifter.channels, COORDINATES).requires_grad_(False)

    def forward(self, features: Tensor) -> Tensor:
        """Map 2D joints (B, T, K, C) to the joints as the lifter gets them, and its pose (B, T, K, 3) in head units."""
        # in bfloat16, a pose of metres is rounded by millimetres, which the flow would learn as an error
        with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
            joints = centre_window(features) if self.center else features
            pose = self.regression(self.lifter(joints))
            if self.flip_indices is not None:
                flipped = self._flip(features)
                flipped = centre_window(flipped) if self.center else flipped
                pose = (pose + self._flip(self.regression(self.lifter(flipped)))) / 2
            return torch.cat([joints, pose * self.scale], dim=-1)

    def _flip(self, joints: Tensor) -> Tensor:
        """Mirror joints (B, T, K, 2 or more), x first."""
        return torch.cat([-joints[..., :1], joints[..., 1:]], dim=-1)[..., self.flip_indices, :]

    def state_mean(self, condition: Tensor) -> Tensor:
        return condition[..., -COORDINATES:]

    def _frozen(self) -> dict[str, nn.Module]:
        return {**super()._frozen(), REGRESSION_PREFIX: self.regression}
