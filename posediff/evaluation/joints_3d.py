"""Errors of 3D poses, one value a frame.

Every function takes ``pred`` and ``target`` (…, T, K, 3) whose leading axes broadcast, and returns (…, T) in the unit
it was given (millimetres by convention). Averaging is left to the caller, who knows which frames count: see
:func:`posediff.evaluation.reduction.masked_mean`. ``joint_mask`` (…, T, K), nonzero where a joint is annotated,
restricts the mean over joints; a frame without any such joint is NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.evaluation.reduction import masked_mean


def mpjpe_unaligned(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None) -> Tensor:
    """Mean distance over joints with the roots left where they are: what the official DiffHPE code prints."""
    return masked_mean(joint_errors(pred, target), joint_mask, dim=-1)


def mpjpe(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """Mean distance over joints after both roots are moved to the origin (protocol 1)."""
    return mpjpe_unaligned(root_aligned(pred, root), root_aligned(target, root), joint_mask)


def n_mpjpe(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """MPJPE after the root-aligned prediction is scaled, frame by frame, to fit best (Rhodin et al., CVPR 2018).

    The scale is the least-squares one, ⟨pred, target⟩ / ⟨pred, pred⟩; a pose that is a single point stays one.
    """
    pred, target = root_aligned(pred, root), root_aligned(target, root)
    _check_pair(pred, target)
    weights = _joint_weights(pred, target, joint_mask)
    scale = _safe_ratio((weights * pred * target).sum((-2, -1)), (weights * pred * pred).sum((-2, -1)))
    return mpjpe_unaligned(scale[..., None, None] * pred, target, joint_mask)


def p_mpjpe(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None) -> Tensor:
    """MPJPE after the best similarity transform of each frame: rotation, scale, translation (protocol 2); float64."""
    target = target.double()
    return mpjpe_unaligned(procrustes_aligned(pred, target, joint_mask), target, joint_mask)


def mpjve(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """Mean distance of joint velocities, root-aligned, in units a frame (Pavllo et al., CVPR 2019).

    Returns:
        (…, T - 1): entry t compares the step from frame t to t + 1. A joint counts where it is annotated in both.
    """
    pred, target = (root_aligned(pose, root).diff(dim=-3) for pose in (pred, target))
    both = None if joint_mask is None else (joint_mask[..., 1:, :] != 0) & (joint_mask[..., :-1, :] != 0)
    return mpjpe_unaligned(pred, target, both)


def joint_errors(pred: Tensor, target: Tensor) -> Tensor:
    """Distance of every joint, (…, T, K).

    Raises:
        ValueError: The poses are not (…, T, K, 3), or differ in T or K.
    """
    _check_pair(pred, target)
    return torch.linalg.vector_norm(pred - target, dim=-1)


def root_aligned(pose: Tensor, root: int = 0) -> Tensor:
    """The pose with joint ``root`` moved to the origin in every frame."""
    return pose - pose[..., root : root + 1, :]


def procrustes_aligned(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None) -> Tensor:
    """Move ``pred`` onto ``target`` frame by frame by the similarity transform with the least squared error.

    Kabsch and Umeyama's closed form; where the best orthogonal matrix is a reflection, the best rotation is taken
    instead.

    Args:
        pred, target: (…, T, K, 3).
        joint_mask: (…, T, K), joints that the fit looks at.

    Returns:
        (…, T, K, 3) float64.
    """
    pred, target = pred.double(), target.double()
    _check_pair(pred, target)
    weights = _joint_weights(pred, target, joint_mask)
    total = weights.sum(-2, keepdim=True)
    pred_mean = (weights * pred).sum(-2, keepdim=True) / total
    target_mean = (weights * target).sum(-2, keepdim=True) / total
    pred_centred, target_centred = pred - pred_mean, target - target_mean

    covariance = (weights * pred_centred).transpose(-2, -1) @ target_centred
    usable = torch.isfinite(covariance).all(-1).all(-1)  # frames without a joint: SVD refuses NaN
    u, singular, vt = torch.linalg.svd(torch.where(usable[..., None, None], covariance, 0.0))
    handedness = torch.ones_like(singular)
    handedness[..., -1] = torch.where(torch.det(u @ vt) < 0, -1.0, 1.0)
    rotation = (u * handedness[..., None, :]) @ vt
    spread = (weights * pred_centred**2).sum((-2, -1))
    scale = _safe_ratio((singular * handedness).sum(-1), spread)
    return scale[..., None, None] * (pred_centred @ rotation) + target_mean


def _joint_weights(pred: Tensor, target: Tensor, joint_mask: Tensor | None) -> Tensor:
    """(…, T, K, 1) of ones and zeros, in the broadcast shape of the poses."""
    shape = torch.broadcast_shapes(pred.shape, target.shape)[:-1]
    if joint_mask is None:
        return pred.new_ones(shape).unsqueeze(-1)
    return (joint_mask != 0).to(pred.dtype).expand(shape).unsqueeze(-1)


def _safe_ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """numerator / denominator, 0 where the denominator is."""
    return torch.where(denominator > 0, numerator / denominator.clamp_min(torch.finfo(denominator.dtype).tiny), 0.0)


def _check_pair(pred: Tensor, target: Tensor) -> None:
    for name, pose in (('pred', pred), ('target', target)):
        if pose.ndim < 3 or pose.shape[-1] != 3:
            raise ValueError(f'{name} must be (…, T, K, 3), got {tuple(pose.shape)}')
    if pred.shape[-3:] != target.shape[-3:]:
        raise ValueError(f'pred {tuple(pred.shape)} and target {tuple(target.shape)} differ in frames or joints')
