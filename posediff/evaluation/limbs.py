"""Errors of arms and legs, the joints that all human skeletons define."""

from __future__ import annotations

import numpy as np
import torch

from posediff.evaluation.joints_3d import n_mpjpe, p_mpjpe
from posediff.structures.skeletons import Skeleton

LIMBS = ('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
MIN_JOINTS = 8  # valid joints that a valid frame needs


def limbs(skeleton: Skeleton) -> list[int]:
    """Return the indices of the 12 joints :data:`LIMBS` in a skeleton, alternating left and right.

    In skeletons without ankles, the joints called foot are used.
    """
    names = ['foot' if part == 'ankle' and 'left_ankle' not in skeleton.joint_names else part for part in LIMBS]
    return [skeleton.joint_names.index(f'{side}_{name}') for name in names for side in ('left', 'right')]


def score_limbs(pose: np.ndarray, target: np.ndarray, agreed: np.ndarray) -> dict[str, float]:
    """Return P-MPJPE and N-MPJPE in mm over frames with valid hips and enough valid joints; the root is the mid-hip.

    Args:
        pose, target: (F, 12, 3) mm, in the order of :func:`limbs`.
        agreed: (F, 12) bool, the valid joints of the target.

    Returns:
        ``p_mpjpe`` and ``n_mpjpe``, NaN if no frame is valid, and ``frames``, the number of valid frames.
    """
    hips = [LIMBS.index('hip') * 2, LIMBS.index('hip') * 2 + 1]
    frames = agreed[:, hips].all(-1) & (agreed.sum(-1) >= MIN_JOINTS) & np.isfinite(pose).all((-2, -1))
    if not frames.any():
        return {'p_mpjpe': float('nan'), 'n_mpjpe': float('nan'), 'frames': 0}
    mask = torch.from_numpy(agreed[frames].astype(np.float64))
    ours, theirs = (torch.from_numpy(np.nan_to_num(one[frames])).double() for one in (pose, target))
    aligned = p_mpjpe(ours, theirs, mask)
    ours, theirs = (torch.cat([one[:, hips].mean(1, keepdim=True), one], 1) for one in (ours, theirs))
    rooted = n_mpjpe(ours, theirs, torch.cat([torch.zeros_like(mask[:, :1]), mask], 1))
    return {'p_mpjpe': float(aligned.mean()), 'n_mpjpe': float(rooted.mean()), 'frames': int(frames.sum())}
