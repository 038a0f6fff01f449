"""Packing transform, the last step of every lifting pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData

from posediff.registry import TRANSFORMS
from posediff.structures.samples import PoseDataSample
from posediff.structures.skeletons import get_skeleton

META_KEYS = (
    'sample_id', 'img_shape', 'fps', 'skeleton', 'action', 'subject', 'frame_indices', 'frame_mask', 'camera',
)  # fmt: skip


@TRANSFORMS.register_module()
class PackLiftingInputs:
    """Turn a window into ``inputs`` (tensors) and ``data_samples`` (:class:`PoseDataSample`).

    Values are validated here on the CPU, because a check on the device would synchronise with it.

    Reads ``keypoints_2d`` (T, K, 2) px, ``keypoint_scores`` and ``keypoint_mask`` (T, K), ``joints_3d`` (T, K, 3) mm in
    the camera frame, ``skeleton`` and the metainfo. Outputs the target relative to the root joint, and the root's
    position.

    Raises:
        ValueError: A value is not finite; the message names the sample, the frame and the joint.
    """

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        inputs = {
            name: torch.from_numpy(np.ascontiguousarray(results[name], dtype=np.float32))
            for name in ('keypoints_2d', 'keypoint_scores', 'keypoint_mask')
        }
        joints_3d = torch.from_numpy(np.ascontiguousarray(results['joints_3d'], dtype=np.float32))
        for name, values in (*inputs.items(), ('joints_3d', joints_3d)):
            _check_finite(results['sample_id'], name, values.numpy())
        root = joints_3d[:, get_skeleton(results['skeleton']).root]
        sample = PoseDataSample()
        for key in META_KEYS:  # PoseDataSample(metainfo=...) would deep-copy each
            sample.set_field(results[key], key, field_type='metainfo')
        prefix = f'{results["subject"]}_{results["action"]}'  # MMPose's 3D metric parses the action from image names
        images = [f'{prefix}.{frame:06d}.jpg' for frame in results['frame_indices']]
        sample.set_field(images, 'target_img_path', field_type='metainfo')
        sample.gt_instances = InstanceData(
            lifting_target=joints_3d - root[:, None],
            lifting_target_visible=torch.ones(joints_3d.shape[:2]),
            root_position=root.clone(),
        )
        return {'inputs': inputs, 'data_samples': sample}


def _check_finite(sample_id: str, name: str, values: np.ndarray) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        frame, joint = np.argwhere(~finite)[0, :2].tolist()
        raise ValueError(
            f'sample {sample_id}: {name} has {int((~finite).sum())} values that are not finite, first at frame '
            f'{frame}, joint {joint}: {values[frame, joint].tolist()}; unseen points have keypoint_mask 0 and finite '
            'coordinates'
        )
