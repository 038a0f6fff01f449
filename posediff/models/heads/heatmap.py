"""Head for 2D keypoints as heatmaps, the diffused state of DiffPose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor, nn

from posediff.models.heads.base import BaseHead
from posediff.models.heads.keypoint_scores import KeypointScores
from posediff.models.heads.udp_heatmap import UDPHeatmap
from posediff.models.layers.convolution import constant_output, feature_upsampling
from posediff.registry import HEADS
from posediff.structures.samples import PoseDataSample
from posediff.structures.skeletons import get_skeleton


@HEADS.register_module()
class HeatmapHead(BaseHead):
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

    flip_indices: Tensor

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
        super().__init__(init_cfg)
        if scale <= 0:
            raise ValueError(f'scale must be positive, got {scale}')
        self.skeleton = get_skeleton(skeleton)
        num_joints = self.skeleton.num_joints
        if label_joints is not None and len(label_joints) != num_joints:
            raise ValueError(f'label_joints must name {num_joints} joints of {skeleton}, got {len(label_joints)}')
        self.label_joints = list(range(num_joints) if label_joints is None else label_joints)
        self.num_label_joints = max(self.label_joints) + 1 if num_label_joints is None else num_label_joints
        self.codec = _build_codec(codec or {'type': 'UDPHeatmap', 'input_size': (192, 256), 'heatmap_size': (48, 64)})
        self.scale = scale
        self.offset = offset
        self.keep_hypotheses = keep_hypotheses
        self.scores = KeypointScores(score, score_knots)
        self.regression: nn.Module | None = None
        if in_channels is not None:
            output = constant_output(nn.Conv2d(channels, num_joints, 1), self.background_value)
            self.regression = nn.Sequential(feature_upsampling(in_channels, channels, 4, detail_channels), output)
        self.register_buffer('flip_indices', torch.tensor(self.skeleton.flip_indices), persistent=False)

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
        for sample in data_samples:
            if sample.get('gt_fields') is None or 'heatmaps' not in sample.gt_fields:
                raise ValueError(
                    f'sample {sample.get("sample_id", sample.get("id"))} has no gt_fields.heatmaps: the training '
                    'pipeline needs GenerateTarget'
                )
        heatmaps = torch.stack([sample.gt_fields.heatmaps for sample in data_samples])
        weights = torch.stack([sample.gt_instance_labels.keypoint_weights[0] for sample in data_samples])
        joints = torch.tensor(self.label_joints).to(heatmaps.device, non_blocking=True)
        return self.encode(heatmaps[:, joints].float()), weights[:, joints, None, None].float()

    def forward(self, condition: Tensor) -> Tensor:
        if self.regression is None:
            raise ValueError(
                'this head has no regression layers: set in_channels of HeatmapHead, or add a denoiser to the model'
            )
        return self.regression(condition)

    def attach(self, data_samples: Sequence[PoseDataSample], poses: Tensor, hypotheses: Tensor) -> None:
        heatmaps = poses.float().cpu().numpy()
        decode_each = self.keep_hypotheses or self.scores.needs_hypotheses
        drawn = hypotheses.float().cpu().numpy() if decode_each else [None] * len(data_samples)
        for sample, maps, several in zip(data_samples, heatmaps, drawn, strict=True):
            found, maxima = self._read(maps)
            # the codec takes any number of maps: those of all hypotheses at once
            each = None if several is None else self._read(several.reshape(-1, *maps.shape[1:]))[0]
            each = None if each is None else each.reshape(-1, len(maps), 2)
            scores = np.zeros((1, self.num_label_joints), np.float32)
            scores[0, self.label_joints] = self.scores(maxima, each, float(self.codec.input_size[1]))
            predicted = InstanceData(keypoints=self._to_image(found, sample)[None], keypoint_scores=scores)
            predicted.keypoints_visible = scores
            for name in ('bboxes', 'bbox_scores'):
                if name in sample.gt_instances:
                    predicted.set_field(sample.gt_instances.get(name), name)
            sample.pred_instances = predicted
            if self.keep_hypotheses and each is not None:
                sample.pred_hypotheses = torch.from_numpy(self._to_image(each, sample))

    def _to_image(self, keypoints: np.ndarray, sample: PoseDataSample) -> np.ndarray:
        """Map keypoints (…, K, 2) of :meth:`_read` to (…, label joints, 2) in px of the image."""
        missing = [name for name in ('input_size', 'input_scale', 'input_center') if sample.get(name) is None]
        if missing:
            raise ValueError(f'sample {sample.get("sample_id")} has no {missing[0]}, which describes its crop')
        size, scale, centre = (np.asarray(sample.get(f'input_{name}')) for name in ('size', 'scale', 'center'))
        found = np.zeros((*keypoints.shape[:-2], self.num_label_joints, 2), np.float32)
        found[..., self.label_joints, :] = keypoints / size * scale + centre - 0.5 * scale
        return found

    def _read(self, heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Decode heatmaps (K, h, w) to keypoints (K, 2), of which the crop has ``input_size``, and maxima (K,)."""
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

    def flip_inputs(self, inputs: Tensor) -> Tensor:
        flipped = inputs.flip(-1)
        shift = self.flip_shift
        if shift == 0:
            return flipped
        return torch.cat([flipped[..., shift:], flipped[..., -1:].expand(*flipped.shape[:-1], shift)], dim=-1)

    @cached_property
    def flip_shift(self) -> int:
        """Number of pixels by which a mirrored image is shifted left, see :func:`flip_shift`."""
        return flip_shift(self.codec)

    def flip_state(self, x_0: Tensor) -> Tensor:
        return x_0.flip(-1)[..., self.flip_indices, :, :]


def _build_codec(codec: dict[str, Any]) -> Any:
    arguments = dict(codec)
    kind = arguments.pop('type', None)
    if kind is None:
        raise ValueError(f'HeatmapHead: codec has no type: {codec}')
    if kind.removeprefix('mmpose.') == 'UDPHeatmap' and arguments.pop('heatmap_type', 'gaussian') == 'gaussian':
        arguments.pop('radius_factor', None)  # of the other heatmap type
        return UDPHeatmap(**arguments)
    import mmpose.codecs  # noqa: F401  registers them
    from mmengine.registry import DefaultScope
    from mmpose.registry import KEYPOINT_CODECS

    with DefaultScope.overwrite_default_scope('mmpose'):  # avoids a warning that posediff has no codecs
        return KEYPOINT_CODECS.build(codec)


def flip_shift(codec: Any) -> int:
    """Return the number of pixels by which a mirrored image must be shifted left to match mirrored heatmaps.

    Mirroring moves pixel x to W - 1 - x and heatmap cell i to w - 1 - i. Whether the two agree depends on the positions
    of the codec's cells, which are measured with heatmaps of points around the image centre. For UDP they agree. For
    MSRA, with cell i at pixel i · W / w, they differ by the stride minus one pixel, or by one cell if the codec rounds
    points to cells.
    """
    (width, _), (cells, _) = codec.input_size, codec.heatmap_size
    reach = 2 * -(-width // cells)
    columns = np.arange(width // 2 - reach, width - width // 2 + reach)
    points = np.stack([columns, np.full(len(columns), codec.input_size[1] // 2)], axis=-1)[None].astype(np.float32)
    heatmaps = codec.encode(points, np.ones(points.shape[:2], np.float32))['heatmaps'].astype(np.float64)
    places = (heatmaps.sum(1) * np.arange(cells)).sum(-1) / heatmaps.sum((1, 2))
    return round(float((2 * places.mean() - (cells - 1)) * width / cells))
