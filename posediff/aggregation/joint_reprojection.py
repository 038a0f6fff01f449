"""Aggregators that hold hypotheses against the 2D keypoints they were made from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from posediff.aggregation.base import BaseAggregator, Sample
from posediff.geometry.cameras import project_points
from posediff.geometry.root_position import solve_root_position
from posediff.registry import AGGREGATORS
from posediff.structures.skeletons import get_skeleton


class _ReprojectionAggregator(BaseAggregator):
    """Common part: how far, in pixels, every joint of every hypothesis falls from the 2D input.

    Each hypothesis is taken relative to its own root, and so is the outcome, whose root is at the origin.

    Every data sample needs ``camera`` (:class:`posediff.geometry.Camera`), ``input_keypoints_2d`` (T, K, 2) px and
    ``skeleton``; ``input_keypoint_mask`` (T, K), if there, is 0 where the input lacks a joint. There, nothing can be
    compared, and the mean of the hypotheses is taken.

    Args:
        root: Where the pose stands in front of the camera. ``'estimate'``: for each hypothesis and frame the
            translation that fits the 2D input best, which can be had in practice. ``'ground_truth'``:
            ``gt_instances.root_position``, as D3DP does; label such results.
    """

    def __init__(self, root: Literal['estimate', 'ground_truth'] = 'estimate') -> None:
        if root not in ('estimate', 'ground_truth'):
            raise ValueError(f"root must be 'estimate' or 'ground_truth', got {root!r}")
        self.root = root

    @abstractmethod
    def combine(self, hypotheses: Tensor, distance: Tensor) -> Tensor:
        """(M, T, K, 3) and distances in px (M, T, K) to (T, K, 3)."""

    def aggregate(self, hypotheses: Tensor, data_samples: Sequence[Sample] | None) -> Tensor:
        if data_samples is None:
            raise ValueError(f'{type(self).__name__} needs data_samples: it compares with the 2D input of each clip')
        if hypotheses.ndim != 5 or hypotheses.shape[-1] != 3:
            raise ValueError(f'{type(self).__name__} takes 3D poses (B, M, T, K, 3), got {tuple(hypotheses.shape)}')
        # pixels of a large image are not told apart in bfloat16
        exact = hypotheses.to(torch.promote_types(hypotheses.dtype, torch.float32))
        clips = [self._aggregate_clip(*clip) for clip in zip(exact, data_samples, strict=True)]
        return torch.stack(clips).to(hypotheses.dtype)

    def _aggregate_clip(self, hypotheses: Tensor, sample: Sample) -> Tensor:
        root_joint = get_skeleton(self._need(sample, 'skeleton')).root
        relative = hypotheses - hypotheses[..., root_joint : root_joint + 1, :]
        keypoints = _tensor(self._need(sample, 'input_keypoints_2d'), hypotheses)
        mask = sample.get('input_keypoint_mask')
        observed = torch.ones_like(keypoints[..., 0]) if mask is None else _tensor(mask, hypotheses)
        # A translation has three unknowns: a frame needs two joints, or its pose cannot be placed and compared.
        placeable = (observed > 0).sum(-1, keepdim=True) >= 2
        position = self._root_position(relative, keypoints, torch.where(placeable, observed, 1.0), sample)
        projected = project_points(relative + position[..., None, :], *self._intrinsics(sample, relative))
        combined = self.combine(relative, (projected - keypoints).norm(dim=-1))
        combined = torch.where((placeable & (observed > 0)).unsqueeze(-1), combined, relative.mean(0))
        return combined - combined[..., root_joint : root_joint + 1, :]

    def _root_position(self, relative: Tensor, keypoints: Tensor, weights: Tensor, sample: Sample) -> Tensor:
        if self.root == 'ground_truth':
            truth = self._need(sample, 'gt_instances').get('root_position')
            if truth is None:
                raise ValueError(f'sample {sample.get("sample_id")!r} has no gt_instances.root_position')
            return _tensor(truth, relative)
        return solve_root_position(
            relative,
            keypoints,
            *self._intrinsics(sample, relative),
            weights=weights.expand(relative.shape[:-1]),
            check=False,  # every frame has two joints; to ask the device would wait for it
        )

    def _intrinsics(self, sample: Sample, like: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        camera = self._need(sample, 'camera')
        distortion = None if camera.distortion is None else _tensor(camera.distortion, like)
        return _tensor(camera.focal, like), _tensor(camera.center, like), distortion

    def _need(self, sample: Sample, name: str) -> Any:
        value = sample.get(name)
        if value is None:
            raise ValueError(f'{type(self).__name__}: sample {sample.get("sample_id")!r} has no {name}')
        return value


@AGGREGATORS.register_module()
class JointReprojectionAggregator(_ReprojectionAggregator):
    """For every frame and joint, the hypothesis that falls nearest to the 2D input: D3DP's JPMA (Section 3.3), J-Agg.

    The root is at the origin in the outcome, as in D3DP.
    """

    def combine(self, hypotheses: Tensor, distance: Tensor) -> Tensor:
        nearest = distance.argmin(0)
        return hypotheses.gather(0, nearest[None, ..., None].expand(1, *hypotheses.shape[1:]))[0]


@AGGREGATORS.register_module()
class WeightedAggregator(_ReprojectionAggregator):
    """Mean of the hypotheses in which every joint weighs exp(-d² / 2σ²), d its distance from the 2D input in px.

    Between the mean (σ large) and the joint-wise choice (σ small): it does not take one noisy keypoint at its word.

    Args:
        sigma: σ in px, about the error of the 2D detector.
        root: See :class:`JointReprojectionAggregator`.
    """

    def __init__(self, sigma: float = 10.0, root: Literal['estimate', 'ground_truth'] = 'estimate') -> None:
        super().__init__(root)
        if not sigma > 0:
            raise ValueError(f'sigma must be positive, got {sigma}')
        self.sigma = sigma

    def combine(self, hypotheses: Tensor, distance: Tensor) -> Tensor:
        weight = torch.softmax(-(distance**2) / (2 * self.sigma**2), dim=0)
        return (weight.unsqueeze(-1) * hypotheses).sum(0)


def _tensor(value: Any, like: Tensor) -> Tensor:
    return torch.as_tensor(value).to(like, non_blocking=True)
