"""Head for 3D joints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.structures import InstanceData
from torch import Tensor, nn

from posediff.models.heads.base import BaseHead
from posediff.registry import HEADS
from posediff.structures.samples import PoseDataSample
from posediff.structures.skeletons import get_skeleton

MM_PER_METRE = 1000.0


@HEADS.register_module()
class LiftingHead(BaseHead):
    """A head for root-relative joints (…, T, K, 3) in mm, camera axes; x_0 is in metres times ``scale``.

    DiffHPE diffuses metres unscaled; D3DP has a ``scale`` with default 1.

    With ``zero_root``, the root joint of decoded poses is set to the origin, and subtracted from nothing, as D3DP's
    evaluation does. Otherwise it is what the network returns.

    With ``predicts_root``, the root joint of x_0 is the position of the root in the camera frame, as in FMPose3D; the
    other joints are relative to it all the same. Decoding sets the root joint to the origin too.

    With ``calibrated_spread``, hypotheses are moved away from their mean, or towards it, by a factor for each joint:
    one where its keypoint was observed, and one where it was not. ``posediff calibrate`` fits the factors and stores
    them in the checkpoint. Factors are of positions relative to the root joint. The mean of the hypotheses does not
    change.

    Args:
        skeleton: Skeleton of the joints, a name in :mod:`posediff.structures.skeletons`.
        in_channels: Channels of the condition from which :meth:`forward` regresses x_0 with one linear layer; None for
            a diffusion model.
        scale: x_0 = scale · metres; positive.
        predicts_root: Whether the root joint of x_0 is the root's position, instead of 0. Training needs
            ``gt_instances.root_position``.
        zero_root: Whether decoded poses have the root joint at the origin.
        calibrated_spread: Whether the spread of the hypotheses is multiplied by factors of the checkpoint.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    flip_indices: Tensor
    spread_factors: Tensor

    def __init__(
        self,
        skeleton: str = 'h36m17',
        in_channels: int | None = None,
        scale: float = 1.0,
        predicts_root: bool = False,
        zero_root: bool = False,
        calibrated_spread: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if scale <= 0:
            raise ValueError(f'scale must be positive, got {scale}')
        self.skeleton = get_skeleton(skeleton)
        self.scale = scale
        self.predicts_root = predicts_root
        self.zero_root = zero_root or predicts_root
        self.regression = None if in_channels is None else nn.Linear(in_channels, 3)
        if calibrated_spread:  # of observed and of other joints
            self.register_buffer('spread_factors', torch.ones(2, self.skeleton.num_joints))
        self.calibrated_spread = calibrated_spread
        self.register_buffer('flip_indices', torch.tensor(self.skeleton.flip_indices), persistent=False)

    def encode(self, pose: Tensor) -> Tensor:
        return pose * (self.scale / MM_PER_METRE)

    def decode(self, x_0: Tensor) -> Tensor:
        pose = x_0 * (MM_PER_METRE / self.scale)
        if self.zero_root:
            pose[..., self.skeleton.root, :] = 0
        return pose

    def root_positions(self, x_0: Tensor) -> Tensor | None:
        return x_0[..., self.skeleton.root, :] * (MM_PER_METRE / self.scale) if self.predicts_root else None

    def state_shape(self, condition: Tensor) -> tuple[int, ...]:
        return (*condition.shape[1:3], 3)

    def targets(self, data_samples: Sequence[PoseDataSample]) -> tuple[Tensor, Tensor | None]:
        self.check_skeleton(data_samples)
        for sample in data_samples:
            if 'gt_instances' not in sample or 'lifting_target' not in sample.gt_instances:
                raise ValueError(f'sample {sample.get("sample_id")} has no gt_instances.lifting_target to train on')
        poses = torch.stack([torch.as_tensor(sample.gt_instances.lifting_target) for sample in data_samples])
        weights = self._weights(data_samples, poses)
        if self.predicts_root:
            poses[..., self.skeleton.root, :] = torch.stack([_true_root(sample, poses) for sample in data_samples])
        return self.encode(poses.float()), weights

    @staticmethod
    def _weights(data_samples: Sequence[PoseDataSample], poses: Tensor) -> Tensor | None:
        """Return weights (B, T, K, 1), 0 for joints without annotation and for padding frames; None if all are 1.

        None is returned for tensors on the host only: on an accelerator the check would synchronise.
        """
        counts = []
        for sample in data_samples:
            weight = poses.new_ones(poses.shape[1:3])
            if 'lifting_target_visible' in sample.gt_instances:
                visible = torch.as_tensor(sample.gt_instances.lifting_target_visible)
                weight = weight * visible.to(weight, non_blocking=True)
            if sample.get('frame_mask') is not None:
                weight = weight * torch.as_tensor(sample.frame_mask).to(weight, non_blocking=True)[:, None]
            counts.append(weight)
        weights = torch.stack(counts)[..., None]
        return None if weights.device.type == 'cpu' and bool((weights == 1).all()) else weights

    def forward(self, condition: Tensor) -> Tensor:
        if self.regression is None:
            raise ValueError('this head has no regression layer: give LiftingHead in_channels, or the model a denoiser')
        return self.regression(condition)

    def attach(self, data_samples: Sequence[PoseDataSample], poses: Tensor, hypotheses: Tensor) -> None:
        for sample, pose, drawn in zip(data_samples, poses.cpu(), hypotheses.cpu(), strict=True):
            scores = sample.get('input_keypoint_scores')
            predicted = InstanceData(keypoints=pose)
            predicted.keypoint_scores = pose.new_ones(pose.shape[:-1]) if scores is None else scores
            sample.pred_instances = predicted.cpu()
            sample.pred_hypotheses = drawn
            if 'gt_instances' in sample:  # MMPose's metrics need NumPy arrays
                sample.gt_instances = sample.gt_instances.numpy()

    def calibrate(self, x_0: Tensor, inputs: Tensor) -> Tensor:
        if not self.calibrated_spread:
            return x_0
        # inputs are keypoints (B, T, K, 2), 0 where they were not observed, or (B, T, K, 3) with the mask
        observed = inputs[..., 2] > 0 if inputs.shape[-1] > 2 else (inputs[..., :2] != 0).any(-1)
        factors = torch.where(observed, self.spread_factors[0], self.spread_factors[1])[:, None, ..., None]
        mean = x_0.mean(1, keepdim=True)
        moved = x_0 - mean
        root = moved[..., self.skeleton.root, :].unsqueeze(-2)
        if self.predicts_root:  # a position; the other joints are relative to it
            root = torch.zeros_like(root)
        return mean + root + factors.to(x_0) * (moved - root)

    def flip_inputs(self, inputs: Tensor) -> Tensor:
        flipped = inputs[..., self.flip_indices, :].clone()
        flipped[..., 0].neg_()
        return flipped

    def flip_state(self, x_0: Tensor) -> Tensor:
        return self.flip_inputs(x_0)


def _true_root(sample: PoseDataSample, like: Tensor) -> Tensor:
    """Return the position (T, 3) mm of the root joint in the camera frame."""
    if 'root_position' not in sample.gt_instances:
        raise ValueError(f'sample {sample.get("sample_id")} has no gt_instances.root_position (predicts_root=True)')
    return torch.as_tensor(sample.gt_instances.root_position).to(like)
