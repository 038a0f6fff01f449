"""Head for 2D keypoints as heatmaps, the diffused state of DiffPose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from posediff.models.heads.keypoint_scores import KeypointScores
from posediff.models.heads.person_keypoints import PersonKeypointHead
from posediff.models.heads.udp_heatmap import UDPHeatmap
from posediff.models.layers.convolution import constant_output, feature_upsampling
from posediff.models.layers.shapes import HEATMAP_FACTOR
from posediff.registry import HEADS
from posediff.structures.samples import PoseDataSample


@HEADS.register_module()
class HeatmapHead(PersonKeypointHead):
    """A head for heatmaps (…, K, h, w) of one person with values from 0 to 1; x_0 is ``scale · (heatmap - offset)``.

    A codec converts keypoints to heatmaps in the data pipeline (MMPose's ``GenerateTarget``) and heatmaps to keypoints
    in this head. DiffPose does not state how heatmaps are scaled before noise is added. Related work uses them
    unchanged (scale 1, offset 0), or from -s to s (scale 2s, offset 0.5).

    Args:
        skeleton: Skeleton of the heatmaps, a name in :mod:`posediff.structures.skeletons`.
        codec: Config of a codec: ``UDPHeatmap`` (:class:`posediff.models.heads.udp_heatmap.UDPHeatmap`), or another
            one of MMPose, with ``input_size`` (w, h) px and ``heatmap_size`` (w, h), as in the data
            pipeline.
        label_joints: Index of each joint of the skeleton in the labels; None: the same joints. Other joints of the
            labels are predicted at (0, 0) with score 0, e.g. PoseTrack's ears, which are not annotated.
        num_label_joints: Number of joints of the labels, if ``label_joints`` omits some.
        scale, offset: x_0 = scale · (heatmap - offset); ``scale`` must be positive.
        in_channels: Channels of the condition from which :meth:`forward` predicts heatmaps with two transposed
            convolutions and a 1×1 convolution, as in SimpleBaseline and ViTPose; None for a diffusion model.
        channels: Width of these convolutions.
        detail_channels: Channels of the key frame's own map in the condition, see
            :class:`posediff.models.conditioners.spatiotemporal.SpatioTemporalConditioner`.
        keep_hypotheses: Also decode every hypothesis, as ``pred_hypotheses`` (M, K, 2) px.
        score, score_knots: How keypoints are scored, ``measure`` and ``knots`` of
            :class:`posediff.models.heads.keypoint_scores.KeypointScores`.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        skeleton: str = 'posetrack15',
        codec: dict[str, Any] | None = None,
        label_joints: Sequence[int] | None = None,
        num_label_joints: int | None = None,
        scale: float = 1.0,
        offset: float = 0.0,
        in_channels: int | None = None,
        channels: int = 256,
        detail_channels: int = 0,
        keep_hypotheses: bool = False,
        score: str = 'maximum',
        score_knots: Sequence[tuple[float, float]] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if scale <= 0:
            raise ValueError(f'scale must be positive, got {scale}')
        scores = KeypointScores(type(self).__name__, score, score_knots)
        super().__init__(skeleton, codec, label_joints, num_label_joints, keep_hypotheses, scores, init_cfg)
        self.scale = scale
        self.offset = offset
        self.regression: nn.Module | None = None
        if in_channels is not None:
            output = constant_output(nn.Conv2d(channels, self.skeleton.num_joints, 1), self.background_value)
            self.regression = nn.Sequential(
                feature_upsampling(in_channels, channels, HEATMAP_FACTOR, detail_channels), output
            )

    @property
    def background_value(self) -> float:
        return (0.0 - self.offset) * self.scale

    def encode(self, pose: Tensor) -> Tensor:
        return (pose - self.offset) * self.scale

    def decode(self, x_0: Tensor) -> Tensor:
        return x_0 / self.scale + self.offset

    def state_shape(self, condition: Tensor) -> tuple[int, ...]:
        width, height = self.codec.heatmap_size
        return (self.skeleton.num_joints, int(height), int(width))

    def targets(self, data_samples: Sequence[PoseDataSample]) -> tuple[Tensor, Tensor | None]:
        self.check_skeleton(data_samples)
        return self.encode(self.label_heatmaps(data_samples)), self.label_weights(data_samples)[..., None, None]

    def forward(self, condition: Tensor) -> Tensor:
        if self.regression is None:
            raise ValueError(
                'this head has no regression layers: set in_channels of HeatmapHead, or add a denoiser to the model'
            )
        return self.regression(condition)

    def read_keypoints(self, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # the codec takes any number of maps
        found, maxima = self._read(poses.reshape(-1, *poses.shape[2:]))
        return found.reshape(*poses.shape[:2], 2), maxima.reshape(poses.shape[:2])

    def _read(self, heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Decode heatmaps (K, h, w) to keypoints (K, 2) and maxima (K,)."""
        found, maxima = self.codec.decode(heatmaps)
        if isinstance(self.codec, UDPHeatmap):
            return found, maxima
        from mmpose.codecs import MSRAHeatmap
        from mmpose.codecs.utils import get_heatmap_maximum

        if not isinstance(self.codec, MSRAHeatmap):
            return found[0], maxima[0]
        # unbounded refinements are discarded as in UDPHeatmap.decode
        cell = np.asarray(self.codec.scale_factor)
        peaks = get_heatmap_maximum(heatmaps)[0] * cell
        reach = (self.codec.blur_kernel_size // 2 + 1) * cell
        astray = (np.abs(found[0] - peaks) > reach).any(-1, keepdims=True)
        return np.where(astray, peaks, found[0]), maxima[0]

    def flip_state(self, x_0: Tensor) -> Tensor:
        return x_0.flip(-1)[..., self.flip_indices, :, :]
