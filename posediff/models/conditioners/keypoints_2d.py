"""The 2D joints themselves as the condition."""

from __future__ import annotations

from torch import Tensor

from posediff.models.conditioners.base import BaseConditioner
from posediff.models.contract import ContractCase
from posediff.registry import CONDITIONERS


@CONDITIONERS.register_module()
class Keypoints2DConditioner(BaseConditioner):
    """Hands normalised 2D joints to the denoiser unchanged (DiffHPE-2D)."""

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, T, K, C) as it came.

        Raises:
            ValueError: The input does not have four axes.
        """
        if features.dim() != 4:
            raise ValueError(f'2D joints come as (B, T, K, C); got shape {tuple(features.shape)}')
        return features

    @classmethod
    def contract_cases(cls) -> list[ContractCase]:
        """Joints with and without the mask channel."""
        return [ContractCase(input_shape=(5, 17, channels)) for channels in (2, 3)]
