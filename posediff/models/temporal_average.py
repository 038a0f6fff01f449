"""A single-frame model of MMPose on clips: the mean of its heatmaps over the frames."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from posediff.registry import MODELS
from posediff.structures.references import refuse_references


@MODELS.register_module(name='TemporalAverageEstimator')
def temporal_average_estimator(**arguments: Any) -> nn.Module:
    """Build MMPose's ``TopdownPoseEstimator`` that predicts from the mean of the heatmaps of all frames of a clip.

    Every frame is processed on its own, so weights are those of ``TopdownPoseEstimator``. All frames of a clip have the
    same crop, that of the key frame. Inputs are clips (B, T, 3, H, W) of :class:`ClipPreprocessor` with an odd T. In
    training, the key frame alone is used, which is the middle one.

    Args:
        arguments: Those of ``TopdownPoseEstimator``, with a head that returns heatmaps.

    Raises:
        ImportError: MMPose is not installed.
        ValueError: A reference in the config was not resolved.
    """
    refuse_references(arguments, 'TemporalAverageEstimator', 'model')
    from mmpose.models import TopdownPoseEstimator
    from mmpose.models.utils.tta import flip_heatmaps

    class TemporalAverageEstimator(TopdownPoseEstimator):
        def loss(self, inputs: Tensor, data_samples: Any) -> dict[str, Tensor]:
            # ClipPreprocessor leaves labels on the host
            labels = [sample.to(inputs.device, non_blocking=True) for sample in data_samples]
            return super().loss(inputs[:, inputs.shape[1] // 2], labels)

        def predict(self, inputs: Tensor, data_samples: Any) -> Any:
            heatmaps = self._forward(inputs)
            if self.test_cfg.get('flip_test', False):
                heatmaps = heatmaps + flip_heatmaps(
                    self._forward(inputs.flip(-1)),
                    flip_indices=data_samples[0].metainfo['flip_indices'],
                    flip_mode=self.test_cfg.get('flip_mode', 'heatmap'),
                    shift_heatmap=self.test_cfg.get('shift_heatmap', False),
                )
                heatmaps = heatmaps / 2
            return self.add_pred_to_datasample(self.head.decode(heatmaps), None, data_samples)

        def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:
            """Map clips (B, T, 3, H, W) to the mean heatmaps (B, K, h, w)."""
            return super()._forward(inputs.flatten(0, 1)).unflatten(0, inputs.shape[:2]).mean(1)

    return TemporalAverageEstimator(**arguments)
