"""Data preprocessor of video clips for image backbones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from posediff.models.device_copies import to_device
from posediff.registry import MODELS

IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


@MODELS.register_module()
class ClipPreprocessor(BaseDataPreprocessor):
    """Stack clips of frames and normalise each frame's channels.

    Input: ``inputs``, a list of B clips (T, 3, H, W) as packed by MMPose (uint8, BGR), and ``data_samples``.

    Output: ``inputs`` float32 (B, T, 3, H, W) on the device, and the unchanged ``data_samples``, whose labels stay on
        the host.

    Args:
        mean, std: Mean and standard deviation of each channel on a scale of 0 to 255, in the channel order after
            ``bgr_to_rgb``; the defaults are ImageNet's, in RGB order.
        bgr_to_rgb: Reverse the order of the channels before they are normalised.
        non_blocking: Copy to the device asynchronously.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        bgr_to_rgb: bool = True,
        non_blocking: bool = True,
    ) -> None:
        super().__init__(non_blocking)
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(f'mean and std must be three numbers each, std positive; got {mean} and {std}')
        self.bgr_to_rgb = bgr_to_rgb
        self.register_buffer('mean', torch.tensor(mean).reshape(3, 1, 1), False)
        self.register_buffer('std', torch.tensor(std).reshape(3, 1, 1), False)

    def forward(self, data: Any, training: bool = False) -> dict[str, Any]:
        if not isinstance(data, dict):
            data = {key: [item[key] for item in data] for key in ('inputs', 'data_samples')}
        samples = data.get('data_samples') or [None] * len(data['inputs'])
        clips = [_check(clip, sample) for clip, sample in zip(data['inputs'], samples, strict=True)]
        if len({tuple(clip.shape) for clip in clips}) > 1:
            shapes = ', '.join(sorted({str(tuple(clip.shape)) for clip in clips}))
            raise ValueError(f'clips of one batch must have one shape, got {shapes}')
        # copied one by one, so that the loader's pinned clips need no further copy on the host
        frames = torch.stack([to_device(clip, self.device, self._non_blocking) for clip in clips])
        if self.bgr_to_rgb:
            frames = frames.flip(-3)
        return {'inputs': (frames.float() - self.mean) / self.std, 'data_samples': data.get('data_samples')}


def _check(clip: Tensor, sample: Any) -> Tensor:
    """Return the clip if it is (T, 3, H, W); otherwise raise an error that names the sample."""
    if clip.ndim != 4 or clip.shape[1] != 3:
        origin = 'a clip' if sample is None else f'sample {sample.get("sample_id", sample.get("id"))}'
        raise ValueError(f'{origin}: frames must be (T, 3, H, W), got {tuple(clip.shape)}')
    return clip
