"""2D keypoints as heatmaps: the diffused state of DiffPose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor, nn

from posediff.models.heads.base import BaseHead
from posediff.models.layers.convolution import constant_output, upsampling
from posediff.registry import HEADS
from posediff.structures.samples import PoseDataSample
from posediff.structures.skeletons import get_skeleton


@HEADS.register_module()
class HeatmapHead(BaseHead):
    """Heatmaps (…, K, h, w) of one person: 0 to 1 outside, ``scale · (heatmap - offset)`` inside.

    MMPose's codec makes heatmaps of keypoints in the data pipeline (``GenerateTarget``) and keypoints of heatmaps
    here. DiffPose does not say how heatmaps are scaled before noise is added to them; the options cover what related
    work does: as they are (scale 1, offset 0), or from -s to s (scale 2s, offset 0.5).

    Args:
        skeleton: Joints that get a heatmap, a name in :mod:`posediff.structures.skeletons`.
        codec: MMPose's codec, with ``input_size`` (w, h) px, ``heatmap_size`` (w, h); as in the data pipeline.
        label_joints: Which of the data's joints the skeleton's are, in order; None where they are the same. The others
            are predicted at the image's origin with score 0: PoseTrack's ears, which nobody annotates.
        num_label_joints: Joints of the data, where ``label_joints`` leaves some out.
        scale, offset: See above.
        in_channels: Channels of the condition from which :meth:`forward` predicts heatmaps, through two transposed
            convolutions and a 1×1 convolution as in SimpleBaseline and ViTPose; None for a diffusion model.
        channels: Width of these.
        keep_hypotheses: Also decode every hypothesis, as ``pred_hypotheses`` (M, K, 2) px.
        init_cfg: MMEngine's.
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
        keep_hypotheses: bool = False,
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
        self.regression: nn.Module | None = None
        if in_channels is not None:
            output = constant_output(nn.Conv2d(channels, num_joints, 1), self.background_value)
            self.regression = nn.Sequential(upsampling(in_channels, channels, 4), output)
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
        drawn = hypotheses.float().cpu().numpy() if self.keep_hypotheses else [None] * len(data_samples)
        for sample, maps, several in zip(data_samples, heatmaps, drawn, strict=True):
            keypoints, scores = self._locate(maps, sample)
            predicted = InstanceData(keypoints=keypoints[None], keypoint_scores=scores[None])
            predicted.keypoints_visible = scores[None]
            for name in ('bboxes', 'bbox_scores'):
                if name in sample.gt_instances:
                    predicted.set_field(sample.gt_instances.get(name), name)
            sample.pred_instances = predicted
            if several is not None:
                sample.pred_hypotheses = torch.from_numpy(np.stack([self._locate(one, sample)[0] for one in several]))

    def _locate(self, heatmaps: np.ndarray, sample: PoseDataSample) -> tuple[np.ndarray, np.ndarray]:
        """Heatmaps (K, h, w) to keypoints (label joints, 2) in px of the image and scores (label joints,)."""
        missing = [name for name in ('input_size', 'input_scale', 'input_center') if sample.get(name) is None]
        if missing:
            raise ValueError(f'sample {sample.get("sample_id")} has no {missing[0]}, the crop of its image')
        found, maxima = self._read(heatmaps)
        size, scale, centre = (np.asarray(sample.get(f'input_{name}')) for name in ('size', 'scale', 'center'))
        keypoints = np.zeros((self.num_label_joints, 2), np.float32)
        scores = np.zeros(self.num_label_joints, np.float32)
        keypoints[self.label_joints] = found / size * scale + centre - 0.5 * scale
        scores[self.label_joints] = maxima
        return keypoints, scores

    def _read(self, heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Heatmaps (K, h, w) to keypoints (K, 2) in px of the crop and maxima (K,), by the codec.

        UDP's and DARK's refinement is one Newton step on the logarithm of the blurred heatmap, and nothing bounds it:
        where that is flat, the step is the gradient over rounding, and the keypoint ends thousands of pixels away.
        Blurring moves a maximum by no more than its kernel's reach, so a step beyond it is not taken.
        """
        from mmpose.codecs import MSRAHeatmap, UDPHeatmap
        from mmpose.codecs.utils import get_heatmap_maximum

        found, maxima = self.codec.decode(heatmaps)
        if not isinstance(self.codec, MSRAHeatmap | UDPHeatmap):
            return found[0], maxima[0]
        cell = np.asarray(self.codec.scale_factor)
        if isinstance(self.codec, UDPHeatmap):  # which decodes by another factor than it encodes by
            cell = np.asarray(self.codec.input_size) / (np.asarray(self.codec.heatmap_size) - 1)
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
        """See :func:`flip_shift`."""
        return flip_shift(self.codec)

    def flip_state(self, x_0: Tensor) -> Tensor:
        return x_0.flip(-1)[..., self.flip_indices, :, :]


def _build_codec(codec: dict[str, Any]) -> Any:
    import mmpose.codecs  # noqa: F401  registers them
    from mmengine.registry import DefaultScope
    from mmpose.registry import KEYPOINT_CODECS

    with DefaultScope.overwrite_default_scope('mmpose'):  # else it warns that posediff has no codecs
        return KEYPOINT_CODECS.build(codec)


def flip_shift(codec: Any) -> int:
    """Pixels by which a mirrored image has to move left so that mirrored heatmaps are its heatmaps.

    A mirrored image has pixel x at W - 1 - x, mirrored heatmaps have cell i at w - 1 - i. Whether the two agree depends
    on where the codec's cells lie, which its heatmaps of points around the middle show. For UDP they do. For MSRA,
    whose cell i lies at pixel i · W / w, they are a stride less one pixel apart; where it rounds points to cells, a
    cell.
    """
    (width, _), (cells, _) = codec.input_size, codec.heatmap_size
    reach = 2 * -(-width // cells)
    columns = np.arange(width // 2 - reach, width - width // 2 + reach)
    points = np.stack([columns, np.full(len(columns), codec.input_size[1] // 2)], axis=-1)[None].astype(np.float32)
    heatmaps = codec.encode(points, np.ones(points.shape[:2], np.float32))['heatmaps'].astype(np.float64)
    places = (heatmaps.sum(1) * np.arange(cells)).sum(-1) / heatmaps.sum((1, 2))
    return round(float((2 * places.mean() - (cells - 1)) * width / cells))
