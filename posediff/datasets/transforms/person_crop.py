"""Test-time crops of persons without MMPose."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData

from posediff.registry import TRANSFORMS
from posediff.structures.argument_checks import require_finite
from posediff.structures.samples import PoseDataSample

META_KEYS = (
    'id', 'img_id', 'img_path', 'sample_id', 'key_index', 'ori_shape', 'img_shape', 'input_size', 'input_center',
    'input_scale', 'frame_path', 'skeleton',
)  # fmt: skip


@TRANSFORMS.register_module()
class CropPerson:
    """Crop all frames of a clip to a person's box, as MMPose's ``GetBBoxCenterScale`` and ``TopdownAffine`` with UDP.

    For test pipelines: labels are not transformed. Reads ``img`` (a list of frames (H, W, 3)) and ``bbox`` (1, 4) px.
    Replaces ``img`` and adds ``input_size`` (w, h), ``input_center`` (2,) and ``input_scale`` (2,), px.

    Args:
        input_size: (w, h) of the crop, px.
        padding: Size of the crop divided by the size of the box, before the box gets the crop's aspect ratio.
    """

    def __init__(self, input_size: tuple[int, int], padding: float = 1.25) -> None:
        require_finite(type(self).__name__, {'padding': padding})
        if padding <= 0:
            raise ValueError(f'{type(self).__name__}: padding must be positive, got {padding}')
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.padding = padding

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        import cv2  # belongs to an extra

        box = results['bbox'][0]
        centre = (box[2:] + box[:2]) * np.float32(0.5)
        size = (box[2:] - box[:2]) * np.float32(self.padding)
        ratio = self.input_size[0] / self.input_size[1]
        wide = size[0] > size[1] * ratio
        scale = np.array([size[0], size[0] / ratio] if wide else [size[1] * ratio, size[1]], dtype=size.dtype)
        # the centres of the first and last pixel of the crop are at the border of the scaled box
        zoom = (np.array(self.input_size) - 1) / scale
        warp = np.array([[zoom[0], 0, 0], [0, zoom[1], 0]], np.float32)
        warp[:, 2] = zoom * (0.5 * scale - centre)
        results['img'] = [
            cv2.warpAffine(frame, warp, self.input_size, flags=cv2.INTER_LINEAR) for frame in results['img']
        ]
        results.update(input_size=self.input_size, input_center=centre, input_scale=scale)
        return results


@TRANSFORMS.register_module()
class PackClip:
    """Turn a clip of crops into ``inputs`` (T, 3, H, W) uint8 and a data sample with ``gt_instances``, for prediction.

    ``gt_instances`` has the fields ``bboxes`` and ``bbox_scores`` of the given box.
    """

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        frames = np.ascontiguousarray(np.stack(results['img']).transpose(0, 3, 1, 2))
        sample = PoseDataSample(metainfo={key: results[key] for key in META_KEYS if key in results})
        sample.gt_instances = InstanceData(bboxes=results['bbox'], bbox_scores=results['bbox_score'])
        return {'inputs': torch.from_numpy(frames), 'data_samples': sample}
