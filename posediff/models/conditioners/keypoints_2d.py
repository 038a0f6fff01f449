"""The 2D joints themselves as the condition."""

from __future__ import annotations

from torch import Tensor

from posediff.models.conditioners.base import BaseConditioner
from posediff.models.conditioners.centring import centre_window
from posediff.registry import CONDITIONERS


@CONDITIONERS.register_module()
class Keypoints2DConditioner(BaseConditioner):
    """Hands normalised 2D joints to the denoiser: unchanged (DiffHPE-2D), or centred.

    Args:
        center: Give the channels of :func:`posediff.models.conditioners.centring.centre_window` instead.
        init_cfg: MMEngine's.
    """

    def __init__(self, center: bool = False, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.center = center

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, T, K, C) as it came, or (B, T, K, C + 3) centred.

        Raises:
            ValueError: The input does not have four axes.
        """
        if features.dim() != 4:
            raise ValueError(f'2D joints come as (B, T, K, C); got shape {tuple(features.shape)}')
        return centre_window(features) if self.center else features
