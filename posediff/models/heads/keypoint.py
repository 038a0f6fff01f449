"""Head for 2D keypoints as joint coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from posediff.models.device_copies import to_device
from posediff.models.heads.keypoint_scores import KeypointScores
from posediff.models.heads.person_keypoints import PersonKeypointHead
from posediff.models.heads.udp_heatmap import UDPHeatmap
from posediff.models.layers.keypoint_refinement import CropUnits, KeypointRefinement, cell_logits
from posediff.registry import HEADS
from posediff.structures.argument_checks import require_finite
from posediff.structures.samples import PoseDataSample


@HEADS.register_module()
class KeypointHead(PersonKeypointHead):
    """A head for the joints (…, K, 2) of one person, px of the crop; x_0 is ``scale · (p - centre) / half height``.

    The condition is a feature map with heatmaps, see
    :class:`posediff.models.conditioners.heatmaps.HeatmapConditioner`. The heatmaps are trained by
    :meth:`auxiliary_losses`.

    The training pipeline needs ``GenerateTarget`` with a UDP codec, and ``PackPoseInputs(pack_transformed=True)``.
    Joints without a label have the weight 0 and their x_0 is 0, the centre of the crop.

    Args:
        skeleton, label_joints, num_label_joints, keep_hypotheses: See
            :class:`posediff.models.heads.heatmap.HeatmapHead`.
        codec: Config of a ``UDPHeatmap``, as in the data pipeline.
        scale: State units per half height of the crop; positive. Joints in JHMDB's crops have a standard deviation of
            0.28 half heights along x and 0.55 along y.
        in_channels: Channels of the feature map in the condition, without those of the heatmaps, from which
            :meth:`forward` predicts x_0; None for a diffusion model.
        channels, depth, num_heads, mlp_ratio, window, spacings: See
            :class:`posediff.models.layers.keypoint_refinement.KeypointRefinement`.
        heatmap_weight: Weight of the loss of the heatmaps; at least 0.
        score: None: every score is 1. ``'spread'``, with ``score_knots``: see
            :class:`posediff.models.heads.keypoint_scores.KeypointScores`.
        score_knots: See ``score``.
        init_cfg: See :class:`mmengine.model.BaseModule`.

    Raises:
        ValueError: ``scale``, ``heatmap_weight`` or ``score`` is out of range, or the codec is another one.
    """

    def __init__(
        self,
        skeleton: str = 'posetrack15',
        codec: dict[str, Any] | None = None,
        label_joints: Sequence[int] | None = None,
        num_label_joints: int | None = None,
        scale: float = 2.0,
        in_channels: int | None = None,
        channels: int = 128,
        depth: int = 2,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        window: int = 3,
        spacings: Sequence[float] = (1, 3),
        heatmap_weight: float = 1.0,
        keep_hypotheses: bool = False,
        score: str | None = None,
        score_knots: Sequence[tuple[float, float]] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        require_finite('KeypointHead', {'scale': scale, 'heatmap_weight': heatmap_weight})
        if scale <= 0 or heatmap_weight < 0:
            raise ValueError(
                f'KeypointHead: scale must be positive and heatmap_weight at least 0, got {scale} and {heatmap_weight}'
            )
        if score not in (None, 'spread') or (score is None and score_knots is not None):
            raise ValueError(
                "KeypointHead: score must be None or 'spread', and score_knots need 'spread', "
                f'got {score!r} and {score_knots}'
            )
        scores = None if score is None else KeypointScores(type(self).__name__, score, score_knots)
        super().__init__(skeleton, codec, label_joints, num_label_joints, keep_hypotheses, scores, init_cfg)
        if not isinstance(self.codec, UDPHeatmap):
            raise ValueError(f'KeypointHead needs a codec UDPHeatmap, got {codec}')
        self.units = CropUnits(self.codec.input_size, scale)
        self.heatmap_weight = heatmap_weight
        self.refinement: KeypointRefinement | None = None
        if in_channels is not None:
            self.refinement = KeypointRefinement(
                self.skeleton.num_joints, in_channels, self.units, channels, depth, num_heads, mlp_ratio, window,
                spacings,
            )  # fmt: skip

    def encode(self, pose: Tensor) -> Tensor:
        return self.units.from_pixels(pose)

    def decode(self, x_0: Tensor) -> Tensor:
        return self.units.to_pixels(x_0)

    def state_shape(self, condition: Tensor) -> tuple[int, ...]:
        return (self.skeleton.num_joints, 2)

    def targets(self, data_samples: Sequence[PoseDataSample]) -> tuple[Tensor, Tensor | None]:
        self.check_skeleton(data_samples)
        for sample in data_samples:
            if 'transformed_keypoints' not in sample.gt_instances:
                raise ValueError(
                    f'sample {sample.get("sample_id", sample.get("id"))} has no gt_instances.transformed_keypoints: '
                    'the training pipeline needs PackPoseInputs with pack_transformed=True'
                )
        labels = np.stack([sample.gt_instances.transformed_keypoints[0] for sample in data_samples])
        weights = self.label_weights(data_samples)[..., None]
        x_0 = self.encode(torch.as_tensor(labels[:, self.label_joints], dtype=torch.float32))
        return torch.where(weights > 0, x_0, 0.0), weights

    def auxiliary_losses(self, condition: Tensor, data_samples: Sequence[PoseDataSample]) -> dict[str, Tensor]:
        """Return the cross-entropy between the condition's heatmaps and the labels', as ``loss_heatmap``.

        Both are distributions over the cells. Joints without a label, or whose heatmap is empty, have the weight 0 but
        count in the mean, which is over all joints of all samples.
        """
        if self.heatmap_weight == 0:
            return {}
        heatmaps = self.label_heatmaps(data_samples).flatten(2)
        mass = heatmaps.sum(-1, keepdim=True)
        weights = self.label_weights(data_samples) * (mass.squeeze(-1) > 0)
        labels = to_device(heatmaps / mass.clamp_min(torch.finfo(mass.dtype).tiny), condition.device)
        logits = cell_logits(condition, self.skeleton.num_joints).flatten(2)
        entropy = -(labels * logits.log_softmax(-1)).sum(-1)
        return {'loss_heatmap': self.heatmap_weight * (entropy * to_device(weights, condition.device)).mean()}

    def forward(self, condition: Tensor) -> Tensor:
        if self.refinement is None:
            raise ValueError(
                'this head has no regression layers: set in_channels of KeypointHead, or add a denoiser to the model'
            )
        found = self.refinement(self.refinement.prepare(condition))
        return found.to(self.refinement.correction.weight.dtype)  # float32 under autocast

    def read_keypoints(self, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        size = np.asarray(self.codec.input_size)
        return poses * (size / (size - 1)), np.ones(poses.shape[:2], np.float32)

    def flip_state(self, x_0: Tensor) -> Tensor:
        flipped = x_0[..., self.flip_indices, :].clone()
        flipped[..., 0].neg_()
        return flipped
