"""MMPose's heatmap head under autocast."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from posediff.registry import MODELS
from posediff.structures.references import refuse_references


@MODELS.register_module(name='Float32HeatmapHead')
def float32_heatmap_head(**arguments: Any) -> nn.Module:
    """Build MMPose's ``HeatmapHead`` that returns float32 heatmaps under autocast.

    MMPose decodes heatmaps with NumPy, which has no bfloat16. Weights are those of ``HeatmapHead``.

    Args:
        arguments: Those of ``HeatmapHead``.

    Raises:
        ImportError: MMPose is not installed.
        ValueError: A reference in the config was not resolved.
    """
    refuse_references(arguments, 'Float32HeatmapHead', 'model.head')
    from mmpose.models import HeatmapHead

    class Float32HeatmapHead(HeatmapHead):
        def forward(self, feats: Any) -> Tensor:
            return super().forward(feats).float()

    return Float32HeatmapHead(**arguments)
