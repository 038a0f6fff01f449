"""Errors of 3D poses, one value per frame.

Every function takes ``pred`` and ``target`` (…, T, K, 3) with broadcastable leading axes and returns (…, T) in the
input's unit (mm by convention). The caller averages over valid frames, see
:func:`posediff.evaluation.reduction.masked_mean`. ``joint_mask`` (…, T, K), nonzero where a joint is annotated,
restricts the mean over joints; a frame without annotated joints is NaN. ``root`` is the index of the joint that root
alignment moves to the origin.
"""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.evaluation.reduction import masked_mean


def mpjpe_unaligned(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None) -> Tensor:
    """Return the mean joint distance without root alignment, as the official DiffHPE code prints."""
    return masked_mean(joint_errors(pred, target), joint_mask, dim=-1)


def mpjpe(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """Return the mean joint distance after root alignment (protocol 1)."""
    return mpjpe_unaligned(root_aligned(pred, root), root_aligned(target, root), joint_mask)


def n_mpjpe(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """Return the MPJPE after root alignment and the best scale per frame (Rhodin et al., CVPR 2018).

    The least-squares scale is ⟨pred, target⟩ / ⟨pred, pred⟩; it is 0 if all joints of ``pred`` are at the root.
    """
    pred, target = root_aligned(pred, root), root_aligned(target, root)
    _check_pair(pred, target)
    weights = _joint_weights(pred, target, joint_mask)
    scale = _safe_ratio((weights * pred * target).sum((-2, -1)), (weights * pred * pred).sum((-2, -1)))
    return mpjpe_unaligned(scale[..., None, None] * pred, target, joint_mask)


def p_mpjpe(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None) -> Tensor:
    """Return the MPJPE after the best similarity transform per frame (protocol 2); float64."""
    target = target.double()
    return mpjpe_unaligned(procrustes_aligned(pred, target, joint_mask), target, joint_mask)


def mpjve(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """Return the mean distance of root-aligned joint velocities, per frame (Pavllo et al., CVPR 2019).

    Returns:
        (…, T - 1): entry t is the step from frame t to t + 1. A joint is used if it is annotated in both frames.
    """
    pred, target = (root_aligned(pose, root).diff(dim=-3) for pose in (pred, target))
    both = None if joint_mask is None else (joint_mask[..., 1:, :] != 0) & (joint_mask[..., :-1, :] != 0)
    return mpjpe_unaligned(pred, target, both)


def joint_errors(pred: Tensor, target: Tensor) -> Tensor:
    """Return the distance of every joint, (…, T, K).

    Raises:
        ValueError: The poses are not (…, T, K, 3), or differ in T or K.
    """
    _check_pair(pred, target)
    return torch.linalg.vector_norm(pred - target, dim=-1)


def root_aligned(pose: Tensor, root: int = 0) -> Tensor:
    """Return the pose with joint ``root`` at the origin in every frame."""
    return pose - pose[..., root : root + 1, :]


def procrustes_aligned(pred: Tensor, target: Tensor, joint_mask: Tensor | None = None) -> Tensor:
    """Align ``pred`` to ``target`` per frame by the similarity transform with the least squared error.

    Closed form of Kabsch and Umeyama. If the best orthogonal matrix is a reflection, the best rotation is used.

    Args:
        pred, target: (…, T, K, 3).
        joint_mask: (…, T, K), nonzero for the joints used in the fit.

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
    usable = torch.isfinite(covariance).all(-1).all(-1)  # SVD fails on the NaN of frames without a joint
    u, singular, vt = torch.linalg.svd(torch.where(usable[..., None, None], covariance, 0.0))
    handedness = torch.ones_like(singular)
    handedness[..., -1] = torch.where(torch.det(u @ vt) < 0, -1.0, 1.0)
    rotation = (u * handedness[..., None, :]) @ vt
    spread = (weights * pred_centred**2).sum((-2, -1))
    scale = _safe_ratio((singular * handedness).sum(-1), spread)
    return scale[..., None, None] * (pred_centred @ rotation) + target_mean


def _joint_weights(pred: Tensor, target: Tensor, joint_mask: Tensor | None) -> Tensor:
    """Return a 0/1 mask (…, T, K, 1) in the broadcast shape of the poses."""
    shape = torch.broadcast_shapes(pred.shape, target.shape)[:-1]
    if joint_mask is None:
        return pred.new_ones(shape).unsqueeze(-1)
    return (joint_mask != 0).to(pred.dtype).expand(shape).unsqueeze(-1)


def _safe_ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Return numerator / denominator, or 0 where the denominator is 0."""
    return torch.where(denominator > 0, numerator / denominator.clamp_min(torch.finfo(denominator.dtype).tiny), 0.0)


def _check_pair(pred: Tensor, target: Tensor) -> None:
    for name, pose in (('pred', pred), ('target', target)):
        if pose.ndim < 3 or pose.shape[-1] != 3:
            raise ValueError(f'{name} must be (…, T, K, 3), got {tuple(pose.shape)}')
    if pred.shape[-3:] != target.shape[-3:]:
        raise ValueError(f'pred {tuple(pred.shape)} and target {tuple(target.shape)} differ in frames or joints')
