"""Coherence measures without ground truth: left-right symmetry and constancy of segment lengths over time.

These are the two measures of DiffHPE (Section 4.3, equations 13 and 14). Its paper and its code differ; both variants
are available and the code's is the default:

* ``segments``: ``'official'`` measures the shoulder segments from the spine joint (7), because the code lists its
  bones before it rewires the shoulders; ``'skeleton'`` measures them from the thorax (8), as the skeleton defines.
* ``unbiased``: The code's ``torch.std`` divides by T - 1, the paper's equation 14 by T.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from posediff.evaluation.reduction import masked_mean
from posediff.structures.skeletons import H36M17, Skeleton

SegmentReading = Literal['official', 'skeleton']


def coherence_segments(skeleton: Skeleton, segments: SegmentReading = 'official') -> tuple[tuple[int, int], ...]:
    """Return (child, parent) of every measured segment, ordered by child.

    Args:
        skeleton: Skeleton of the joints.
        segments: ``'official'`` or ``'skeleton'``, see the module.

    Raises:
        ValueError: The variant is unknown, or is ``'official'`` for a skeleton that the official code does not have.
    """
    if segments == 'skeleton':
        return skeleton.segments
    if segments != 'official':
        raise ValueError(f"segments must be 'official' or 'skeleton', got {segments!r}")
    if skeleton.joint_names != H36M17.joint_names:
        raise ValueError(
            f"segments='official' needs the joints of {H36M17.name!r}, which {skeleton.name!r} lacks: use 'skeleton'"
        )
    shoulders = {H36M17.joint_names.index('left_shoulder'), H36M17.joint_names.index('right_shoulder')}
    spine = H36M17.joint_names.index('spine')
    return tuple((child, spine if child in shoulders else parent) for child, parent in skeleton.segments)


def segment_lengths(pose: Tensor, segments: tuple[tuple[int, int], ...]) -> Tensor:
    """Return segment lengths (…, T, S) of poses (…, T, K, 3)."""
    child, parent = torch.tensor(segments, device=pose.device).unbind(-1)
    return torch.linalg.vector_norm(pose[..., child, :] - pose[..., parent, :], dim=-1)


def symmetry_gap(pose: Tensor, skeleton: Skeleton = H36M17, segments: SegmentReading = 'official') -> Tensor:
    """Return the mean absolute difference of left and right segment lengths (equation 13).

    Args:
        pose: (…, T, K, 3).
        skeleton: Skeleton of the K joints.
        segments: ``'official'`` or ``'skeleton'``, see the module.

    Returns:
        (…, T), in the unit of ``pose``.
    """
    _check_pose(pose, skeleton)
    pairs = coherence_segments(skeleton, segments)
    lengths = segment_lengths(pose, pairs)
    position = {child: index for index, (child, _) in enumerate(pairs)}
    left = [position[joint] for joint in skeleton.left if joint in position]
    right = [position[joint] for joint in skeleton.right if joint in position]
    return (lengths[..., left] - lengths[..., right]).abs().mean(-1)


def segment_std(
    pose: Tensor,
    skeleton: Skeleton = H36M17,
    segments: SegmentReading = 'official',
    unbiased: bool = True,
    frame_mask: Tensor | None = None,
) -> Tensor:
    """Return the standard deviation of each segment's length over time, averaged over segments (equation 14).

    Args:
        pose: (…, T, K, 3).
        skeleton: Skeleton of the K joints.
        segments: ``'official'`` or ``'skeleton'``, see the module.
        unbiased: Divide by the number of frames minus one (official code) or by the number (paper).
        frame_mask: (…, T), nonzero for valid frames.

    Returns:
        (…), in the unit of ``pose``; NaN with fewer than two valid frames.
    """
    _check_pose(pose, skeleton)
    lengths = segment_lengths(pose, coherence_segments(skeleton, segments))
    counts = lengths.new_ones(lengths.shape[:-1]) if frame_mask is None else (frame_mask != 0).to(lengths.dtype)
    counts = counts.expand(lengths.shape[:-1])
    mean = masked_mean(lengths, counts.unsqueeze(-1), dim=-2).unsqueeze(-2)
    num_frames = counts.sum(-1, keepdim=True)
    squares = (counts.unsqueeze(-1) * (lengths - mean) ** 2).sum(-2)
    std = (squares / (num_frames - 1 if unbiased else num_frames)).sqrt()
    return torch.where(num_frames >= 2, std, torch.nan).mean(-1)


def _check_pose(pose: Tensor, skeleton: Skeleton) -> None:
    if pose.ndim < 3 or pose.shape[-2:] != (skeleton.num_joints, 3):
        raise ValueError(
            f'pose must be (…, T, {skeleton.num_joints}, 3) for skeleton {skeleton.name!r}, got {tuple(pose.shape)}'
        )
