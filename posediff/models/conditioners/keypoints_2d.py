"""A conditioner that returns the 2D joints."""

from __future__ import annotations

from torch import Tensor

from posediff.models.conditioners.base import BaseConditioner
from posediff.models.conditioners.centring import centre_window
from posediff.registry import CONDITIONERS


@CONDITIONERS.register_module()
class Keypoints2DConditioner(BaseConditioner):
    """A conditioner that returns the normalised 2D joints, unchanged (DiffHPE-2D) or centred.

    Args:
        center: Return the output of :func:`posediff.models.conditioners.centring.centre_window` instead.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(self, center: bool = False, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.center = center

    def forward(self, features: Tensor) -> Tensor:
        """Return the joints (B, T, K, C), or centred with three more channels.

        Raises:
            ValueError: The input does not have four axes.
        """
        if features.dim() != 4:
            raise ValueError(f'2D joints come as (B, T, K, C); got shape {tuple(features.shape)}')
        return centre_window(features) if self.center else features
