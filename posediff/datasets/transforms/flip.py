"""Horizontal flip."""

from __future__ import annotations

from typing import Any

import numpy as np

from posediff.registry import TRANSFORMS
from posediff.structures.skeletons import get_skeleton


@TRANSFORMS.register_module()
class LiftingRandomFlip:
    """Flip a window horizontally: 2D, 3D, scores, mask and camera, with left and right joints exchanged.

    A pixel x becomes w - x, so the normalised coordinate changes only its sign.

    Args:
        prob: Probability, in [0, 1]. Neither the official DiffHPE nor its MixSTE training uses flips.
    """

    def __init__(self, prob: float = 0.5) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'LiftingRandomFlip: prob must lie in [0, 1], got {prob}')
        self.prob = prob

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        if results['rng'].random() >= self.prob:
            return results
        order = list(get_skeleton(results['skeleton']).flip_indices)
        mask = results['keypoint_mask'][:, order]
        keypoints_2d = results['keypoints_2d'][:, order]
        keypoints_2d[..., 0] = results['img_shape'][1] - keypoints_2d[..., 0]
        joints_3d = results['joints_3d'][:, order] * np.array([-1, 1, 1], dtype=np.float32)
        results.update(
            keypoints_2d=keypoints_2d * mask[..., None],
            keypoint_scores=results['keypoint_scores'][:, order],
            keypoint_mask=mask,
            joints_3d=joints_3d,
            camera=results['camera'] and results['camera'].mirrored(),
        )
        return results
