"""Base class of the heads for the 2D keypoints of one person in a crop of an image."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from posediff.models.heads.base import BaseHead
from posediff.models.heads.keypoint_scores import KeypointScores
from posediff.models.heads.udp_heatmap import UDPHeatmap
from posediff.structures.samples import PoseDataSample
from posediff.structures.skeletons import get_skeleton

CODEC = {'type': 'UDPHeatmap', 'input_size': (192, 256), 'heatmap_size': (48, 64)}


class PersonKeypointHead(BaseHead):
    """A head for the keypoints of one person in a crop; subclasses define the state.

    Args:
        skeleton, codec, label_joints, num_label_joints, keep_hypotheses: See
            :class:`posediff.models.heads.heatmap.HeatmapHead`.
        scores: Scores of keypoints; None: every score is 1.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    flip_indices: Tensor

    def __init__(
        self,
        skeleton: str,
        codec: dict[str, Any] | None,
        label_joints: Sequence[int] | None,
        num_label_joints: int | None,
        keep_hypotheses: bool,
        scores: KeypointScores | None,
        init_cfg: dict | None,
    ) -> None:
        super().__init__(init_cfg)
        self.skeleton = get_skeleton(skeleton)
        num_joints = self.skeleton.num_joints
        if label_joints is not None and len(label_joints) != num_joints:
            raise ValueError(f'label_joints must name {num_joints} joints of {skeleton}, got {len(label_joints)}')
        self.label_joints = list(range(num_joints) if label_joints is None else label_joints)
        self.num_label_joints = max(self.label_joints) + 1 if num_label_joints is None else num_label_joints
        self.codec = build_codec(type(self).__name__, codec or CODEC)
        self.keep_hypotheses = keep_hypotheses
        self.scores = scores
        self.register_buffer('flip_indices', torch.tensor(self.skeleton.flip_indices), persistent=False)

    @abstractmethod
    def read_keypoints(self, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the keypoints of decoded states.

        Args:
            poses: (R, …) what :meth:`decode` returns, for any number of people or hypotheses.

        Returns:
            Keypoints (R, K, 2) in units of which the crop has ``input_size``, see :meth:`UDPHeatmap.decode`, and
            their certainties (R, K), e.g. maxima of heatmaps.
        """

    def attach(self, data_samples: Sequence[PoseDataSample], poses: Tensor, hypotheses: Tensor) -> None:
        means = poses.float().cpu().numpy()
        read_each = self.keep_hypotheses or (self.scores is not None and self.scores.needs_hypotheses)
        drawn = hypotheses.float().cpu().numpy() if read_each else [None] * len(data_samples)
        for sample, pose, several in zip(data_samples, means, drawn, strict=True):
            found, certainties = self.read_keypoints(pose[None])
            each = None if several is None else self.read_keypoints(several)[0]
            scores = np.zeros((1, self.num_label_joints), np.float32)
            height = float(self.codec.input_size[1])
            scores[0, self.label_joints] = 1 if self.scores is None else self.scores(certainties[0], each, height)
            predicted = InstanceData(keypoints=self._to_image(found, sample), keypoint_scores=scores)
            predicted.keypoints_visible = scores
            for name in ('bboxes', 'bbox_scores'):
                if name in sample.gt_instances:
                    predicted.set_field(sample.gt_instances.get(name), name)
            sample.pred_instances = predicted
            if self.keep_hypotheses and each is not None:
                sample.pred_hypotheses = torch.from_numpy(self._to_image(each, sample))

    def _to_image(self, keypoints: np.ndarray, sample: PoseDataSample) -> np.ndarray:
        """Map keypoints (R, K, 2) of :meth:`read_keypoints` to (R, label joints, 2) in px of the image."""
        missing = [name for name in ('input_size', 'input_scale', 'input_center') if sample.get(name) is None]
        if missing:
            raise ValueError(f'sample {sample.get("sample_id")} has no {missing[0]}, which describes its crop')
        size, scale, centre = (np.asarray(sample.get(f'input_{name}')) for name in ('size', 'scale', 'center'))
        found = np.zeros((len(keypoints), self.num_label_joints, 2), np.float32)
        found[:, self.label_joints] = keypoints / size * scale + centre - 0.5 * scale
        return found

    def label_heatmaps(self, data_samples: Sequence[PoseDataSample]) -> Tensor:
        """Return the heatmaps (B, K, h, w) of the labels, on the host.

        Raises:
            ValueError: A sample has none; the message names it.
        """
        for sample in data_samples:
            if sample.get('gt_fields') is None or 'heatmaps' not in sample.gt_fields:
                raise ValueError(
                    f'sample {sample.get("sample_id", sample.get("id"))} has no gt_fields.heatmaps: the training '
                    'pipeline needs GenerateTarget'
                )
        heatmaps = torch.stack([sample.gt_fields.heatmaps for sample in data_samples])
        return heatmaps[:, self._joints(heatmaps)].float()

    def label_weights(self, data_samples: Sequence[PoseDataSample]) -> Tensor:
        """Return the weights (B, K) of the labels, 0 for joints without a label, on the host."""
        weights = torch.stack([sample.gt_instance_labels.keypoint_weights[0] for sample in data_samples])
        return weights[:, self._joints(weights)].float()

    def _joints(self, labels: Tensor) -> Tensor:
        return torch.tensor(self.label_joints).to(labels.device, non_blocking=True)

    def flip_inputs(self, inputs: Tensor) -> Tensor:
        flipped = inputs.flip(-1)
        shift = self.flip_shift
        if shift == 0:
            return flipped
        return torch.cat([flipped[..., shift:], flipped[..., -1:].expand(*flipped.shape[:-1], shift)], dim=-1)

    @cached_property
    def flip_shift(self) -> int:
        """Number of pixels by which a mirrored image is shifted left, see :func:`measured_flip_shift`."""
        return measured_flip_shift(self.codec)


def build_codec(owner: str, codec: dict[str, Any]) -> Any:
    """Build a codec, :class:`UDPHeatmap` or one of MMPose; ``owner`` is the class that errors name."""
    arguments = dict(codec)
    kind = arguments.pop('type', None)
    if kind is None:
        raise ValueError(f'{owner}: codec has no type: {codec}')
    if kind.removeprefix('mmpose.') == 'UDPHeatmap' and arguments.pop('heatmap_type', 'gaussian') == 'gaussian':
        arguments.pop('radius_factor', None)  # of the other heatmap type
        return UDPHeatmap(**arguments)
    import mmpose.codecs  # noqa: F401  registers them
    from mmengine.registry import DefaultScope
    from mmpose.registry import KEYPOINT_CODECS

    with DefaultScope.overwrite_default_scope('mmpose'):  # avoids a warning that posediff has no codecs
        return KEYPOINT_CODECS.build(codec)


def measured_flip_shift(codec: Any) -> int:
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
