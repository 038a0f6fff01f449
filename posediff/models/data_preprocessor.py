"""Data preprocessor of 2D keypoints."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from posediff.models.device_copies import to_device
from posediff.registry import MODELS


def normalize_keypoints_2d(keypoints_2d: Tensor, img_shape: Tensor) -> Tensor:
    """Normalise pixels to [-1, 1] across the image width, as VideoPose3D does: x·2/w - 1, y·2/w - h/w.

    Args:
        keypoints_2d: (B, T, K, 2) px.
        img_shape: (B, 2) image height and width in px.

    Returns:
        ``keypoints_2d_norm`` (B, T, K, 2).
    """
    height, width = img_shape.to(keypoints_2d).unbind(-1)
    offset = torch.stack([torch.ones_like(width), height / width], dim=-1)
    return keypoints_2d * (2 / width)[:, None, None, None] - offset[:, None, None, :]


def network_inputs(keypoints_2d: Tensor, mask: Tensor, img_shape: Tensor, input_mask: bool) -> Tensor:
    """Normalise keypoints for a lifter, and set missing keypoints to 0.

    Args:
        keypoints_2d: (B, T, K, 2) px.
        mask: (B, T, K) float, 1 where a keypoint was observed, else 0.
        img_shape: (B, 2) or (1, 2) image height and width in px.
        input_mask: Append the mask as a third channel.

    Returns:
        (B, T, K, 2), or (B, T, K, 3) with the mask.
    """
    inputs = normalize_keypoints_2d(keypoints_2d, img_shape) * mask[..., None]
    return torch.cat([inputs, mask[..., None]], dim=-1) if input_mask else inputs


@MODELS.register_module()
class LiftingPreprocessor(BaseDataPreprocessor):
    """Stack clips of 2D keypoints and normalise them by their image size.

    The clips are checked and stacked on the host; one tensor per batch is copied to the device. The data samples stay
    on the host.

    Input: a list of items, or the dict of lists from ``pseudo_collate``, with ``inputs`` (``keypoints_2d`` (T, K, 2)
        px, optional ``keypoint_mask`` (T, K), 1 = observed, default all 1, and optional ``keypoint_scores`` (T, K),
        default the mask) and ``data_samples`` with ``img_shape`` (h, w) px.

    Output: ``inputs``, ``keypoints_2d_norm`` (B, T, K, 2) with missing keypoints at 0 (DiffHPE, section 5.2), and
        ``data_samples`` with the additional fields ``input_keypoints_2d`` (T, K, 2) px, ``input_keypoint_mask`` and
        ``input_keypoint_scores`` (T, K).

    Args:
        input_mask: Append the mask as a third channel, which distinguishes a missing keypoint from one at the image
            centre.
        non_blocking: Copy to the device asynchronously.
    """

    def __init__(self, input_mask: bool = False, non_blocking: bool = True) -> None:
        super().__init__(non_blocking)
        self.input_mask = input_mask

    def forward(self, data: Any, training: bool = False) -> dict[str, Any]:
        data = _as_lists(data)
        samples = data.get('data_samples') or [None] * len(data['inputs'])
        clips = [_check(item, sample) for item, sample in zip(data['inputs'], samples, strict=True)]
        shapes = {tuple(keypoints.shape) for keypoints, _, _ in clips}
        if len(shapes) > 1:
            raise ValueError(f'clips of one batch must have one shape, got {sorted(shapes)}')
        keypoints_2d, masks, scores = (torch.stack(parts) for parts in zip(*clips, strict=True))
        img_shape = torch.tensor([sample.img_shape for sample in samples], dtype=torch.float32)
        img_shape = img_shape.to(keypoints_2d.device, non_blocking=True)
        inputs = network_inputs(keypoints_2d, masks, img_shape, self.input_mask)
        for sample, *observed in zip(samples, keypoints_2d, masks, scores, strict=True):
            sample.input_keypoints_2d, sample.input_keypoint_mask, sample.input_keypoint_scores = observed
        return {'inputs': to_device(inputs, self.device, self._non_blocking), 'data_samples': samples}


def _as_lists(data: Any) -> dict[str, Any]:
    """Return a batch with ``inputs`` as a list of items, from a list of items or the output of ``pseudo_collate``."""
    if not isinstance(data, dict):
        data = {key: [item[key] for item in data] for key in ('inputs', 'data_samples')}
    inputs = data['inputs']
    if isinstance(inputs, dict):
        inputs = [dict(zip(inputs, values, strict=True)) for values in zip(*inputs.values(), strict=True)]
    return {**data, 'inputs': inputs}


def _check(item: dict[str, Tensor], sample: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return (keypoints_2d, mask, scores) of one clip, or raise an error that names the sample."""
    origin = f'sample {sample.get("sample_id")}' if sample is not None else 'a sample'
    if sample is None or 'img_shape' not in sample:
        raise ValueError(f'{origin} has no img_shape (h, w): pixels cannot be normalised')
    if min(sample.img_shape) <= 0:
        raise ValueError(f'{origin}: img_shape must be positive, got {tuple(sample.img_shape)}')
    keypoints_2d = item['keypoints_2d'].float()
    if keypoints_2d.ndim != 3 or keypoints_2d.shape[-1] != 2 or 0 in keypoints_2d.shape:
        raise ValueError(f'{origin}: keypoints_2d must be (T, K, 2) px, got {tuple(keypoints_2d.shape)}')
    mask = _check_per_joint(item, 'keypoint_mask', keypoints_2d, origin)
    mask = keypoints_2d.new_ones(keypoints_2d.shape[:2]) if mask is None else mask
    # the check would synchronise with an accelerator, so it runs on the CPU only; dataset transforms check values too
    bad = ~torch.isfinite(keypoints_2d).all(-1) if keypoints_2d.device.type == 'cpu' else None
    if bad is not None and bool(bad.any()):
        frame, joint = bad.nonzero()[0].tolist()
        value = keypoints_2d[frame, joint].tolist()
        raise ValueError(
            f'{origin}: keypoints_2d has {int(bad.sum())} points that are not finite, first at frame {frame}, '
            f'joint {joint}: {value}; '
            'mark unseen points with keypoint_mask 0 and finite coordinates'
        )
    scores = _check_per_joint(item, 'keypoint_scores', keypoints_2d, origin)
    return keypoints_2d, mask, mask.clone() if scores is None else scores


def _check_per_joint(item: dict[str, Tensor], name: str, keypoints_2d: Tensor, origin: str) -> Tensor | None:
    """Return an optional (T, K) entry as floats, or raise an error if it is invalid."""
    values = item.get(name)
    if values is None:
        return None
    if values.shape != keypoints_2d.shape[:2]:
        raise ValueError(f'{origin}: {name} must be {tuple(keypoints_2d.shape[:2])}, got {tuple(values.shape)}')
    values = values.float()
    if values.device.type == 'cpu' and not bool(torch.isfinite(values).all()):
        raise ValueError(f'{origin}: {name} has values that are not finite')
    return values
