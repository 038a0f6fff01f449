"""Errors of M hypotheses.

``p_agg`` needs no ground truth to form the prediction. ``p_best``, ``j_best`` and ``p_best_per_batch`` select with the
ground truth: they are oracles, that is, bounds for a perfect selection. Metrics report them under names that end in
:data:`ORACLE_SUFFIX`. ``j_agg``, the realisable joint-wise selection, needs a camera: aggregate with
:class:`posediff.aggregation.JointReprojectionAggregator` and compute the MPJPE of the result.

Shapes: ``hypotheses`` (…, M, T, K, 3), ``target`` (…, T, K, 3). ``joint_mask`` (…, T, K), nonzero where a joint is
annotated, restricts the mean over joints. Errors have the unit of the input. Poses are aligned at joint ``root`` first.
"""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.evaluation.joints_3d import joint_errors, mpjpe, mpjpe_unaligned, root_aligned
from posediff.evaluation.reduction import masked_mean

ORACLE_SUFFIX = '_oracle'


def p_agg(hypotheses: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """Return the MPJPE of the mean hypothesis, (…, T)."""
    _check_hypotheses(hypotheses, target)
    return mpjpe(hypotheses.mean(-4), target, joint_mask, root)


def p_best(hypotheses: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """Oracle: return the MPJPE of the best hypothesis of each frame, (…, T)."""
    return pose_errors(hypotheses, target, joint_mask, root).amin(-2)


def j_best(hypotheses: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """Oracle: return the MPJPE with each joint taken from its best hypothesis, (…, T)."""
    _check_hypotheses(hypotheses, target)
    errors = joint_errors(root_aligned(hypotheses, root), root_aligned(target, root).unsqueeze(-4))
    return masked_mean(errors.amin(-3), joint_mask, dim=-1)


def p_best_per_batch(
    hypotheses: Tensor,
    target: Tensor,
    joint_mask: Tensor | None = None,
    root: int = 0,
    frame_mask: Tensor | None = None,
) -> Tensor:
    """Oracle as in D3DP: return the errors of the one hypothesis index with the lowest mean error over the batch.

    The value depends on the batching and is close to the error of a single sample. Published tables use it.

    Args:
        frame_mask: (…, T), nonzero for the frames used in the selection.

    Returns:
        (…, T): errors of that hypothesis.
    """
    errors = pose_errors(hypotheses, target, joint_mask, root).movedim(-2, 0)
    mask = None if frame_mask is None else frame_mask.unsqueeze(0)
    means = masked_mean(errors, mask, dim=tuple(range(1, errors.ndim)))
    return errors[int(means.argmin())]


def pose_errors(hypotheses: Tensor, target: Tensor, joint_mask: Tensor | None = None, root: int = 0) -> Tensor:
    """Return the MPJPE of every hypothesis in every frame, (…, M, T)."""
    _check_hypotheses(hypotheses, target)
    mask = None if joint_mask is None else joint_mask.unsqueeze(-3)
    return mpjpe_unaligned(root_aligned(hypotheses, root), root_aligned(target, root).unsqueeze(-4), mask)


def hypothesis_spread(hypotheses: Tensor) -> Tensor:
    """Return the RMS distance of each joint's hypotheses from their mean, (…, T, K); 0 for M = 1.

    The mean is over M, not M - 1: it describes the hypotheses at hand, as output files do. To compare with the error,
    use :func:`posediff.evaluation.spread_skill.squared_spread`, the unbiased estimate.
    """
    centred = hypotheses - hypotheses.mean(-4, keepdim=True)
    return torch.sqrt((centred**2).sum(-1).mean(-3))


def _check_hypotheses(hypotheses: Tensor, target: Tensor) -> None:
    if hypotheses.ndim < 4 or hypotheses.ndim != target.ndim + 1 or hypotheses.shape[-4] < 1:
        raise ValueError(
            f'hypotheses must be (…, M, T, K, 3) with M >= 1 for target {tuple(target.shape)}, '
            f'got {tuple(hypotheses.shape)}'
        )
