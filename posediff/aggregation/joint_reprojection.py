"""Aggregators that compare hypotheses with the 2D keypoints by reprojection."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from posediff.aggregation.base import BaseAggregator, Sample
from posediff.geometry.cameras import project_points
from posediff.geometry.root_position import solve_root_position
from posediff.registry import AGGREGATORS
from posediff.structures.argument_checks import require_finite, require_one_of, require_whole
from posediff.structures.skeletons import get_skeleton

Root: TypeAlias = Literal['estimate', 'predicted', 'ground_truth']

MAX_DISTANCE = 20.0
"""Distance, in temperatures, beyond which RPEA does not distinguish hypotheses."""


class _ReprojectionAggregator(BaseAggregator):
    """Base class: computes the reprojection error in px of every joint of every hypothesis.

    Hypotheses and result are relative to their root joint.

    Every data sample needs ``camera`` (:class:`posediff.geometry.Camera`), ``input_keypoints_2d`` (T, K, 2) px and
    ``skeleton``. ``input_keypoint_mask`` (T, K), if given, is 0 for joints missing in the input; for these, the mean of
    the hypotheses is used.

    Args:
        root: Root position used for the projection. ``'estimate'``: for each hypothesis and frame, the translation with
            the best fit to the 2D input. ``'predicted'``: that of the network, ``hypothesis_root_position`` of the
            sample (``LiftingHead(predicts_root=True)``). ``'ground_truth'``: ``gt_instances.root_position``, as in
            D3DP and FMPose3D; results depend on the ground truth and must be reported as such.
    """

    def __init__(self, root: Root = 'estimate') -> None:
        require_one_of(type(self).__name__, 'root', root, ('estimate', 'predicted', 'ground_truth'))
        self.root = root

    @property
    def uses_ground_truth(self) -> bool:
        return self.root == 'ground_truth'

    @abstractmethod
    def combine(self, hypotheses: Tensor, distance: Tensor, half_width: float) -> Tensor:
        """Combine hypotheses to a pose.

        Args:
            hypotheses: (M, T, K, 3) mm.
            distance: (M, T, K) px, reprojection errors.
            half_width: Half the width of the image, px: the unit of normalised keypoints.

        Returns:
            (T, K, 3) mm.
        """

    def aggregate(self, hypotheses: Tensor, data_samples: Sequence[Sample] | None) -> Tensor:
        if data_samples is None:
            raise ValueError(f'{type(self).__name__} needs data_samples: it compares with the 2D input of each clip')
        if hypotheses.ndim != 5 or hypotheses.shape[-1] != 3:
            raise ValueError(f'{type(self).__name__} takes 3D poses (B, M, T, K, 3), got {tuple(hypotheses.shape)}')
        # bfloat16 cannot represent the pixels of a large image
        exact = hypotheses.to(torch.promote_types(hypotheses.dtype, torch.float32))
        clips = [self._aggregate_clip(*clip) for clip in zip(exact, data_samples, strict=True)]
        return torch.stack(clips).to(hypotheses.dtype)

    def _aggregate_clip(self, hypotheses: Tensor, sample: Sample) -> Tensor:
        """Aggregate the hypotheses (M, T, K, 3) of one clip to (T, K, 3), mm, relative to the root joint."""
        root_joint = get_skeleton(self._need(sample, 'skeleton')).root
        relative = hypotheses - hypotheses[..., root_joint : root_joint + 1, :]
        keypoints = _tensor(self._need(sample, 'input_keypoints_2d'), hypotheses)
        mask = sample.get('input_keypoint_mask')
        observed = torch.ones_like(keypoints[..., 0]) if mask is None else _tensor(mask, hypotheses)
        # the translation has three unknowns: with fewer than two joints it is not determined
        placeable = (observed > 0).sum(-1, keepdim=True) >= 2
        position = self._root_position(relative, keypoints, torch.where(placeable, observed, 1.0), sample)
        projected = self._project(relative + position[..., None, :], sample)
        half_width = self._need(sample, 'camera').img_shape[1] / 2
        combined = self.combine(relative, (projected - keypoints).norm(dim=-1), half_width)
        combined = torch.where((placeable & (observed > 0)).unsqueeze(-1), combined, relative.mean(0))
        return combined - combined[..., root_joint : root_joint + 1, :]

    def _root_position(self, relative: Tensor, keypoints: Tensor, weights: Tensor, sample: Sample) -> Tensor:
        if self.root == 'ground_truth':
            truth = self._need(sample, 'gt_instances').get('root_position')
            if truth is None:
                raise ValueError(f'sample {sample.get("sample_id")!r} has no gt_instances.root_position')
            return _tensor(truth, relative)
        if self.root == 'predicted':
            return _tensor(self._need(sample, 'hypothesis_root_position'), relative)
        return solve_root_position(
            relative,
            keypoints,
            *self._intrinsics(sample, relative),
            weights=weights.expand(relative.shape[:-1]),
            check=False,  # every frame has two joints; a check would synchronise with the device
        )

    def _project(self, points: Tensor, sample: Sample) -> Tensor:
        """Project points (…, 3) in the camera frame to (…, 2) px."""
        return project_points(points, *self._intrinsics(sample, points))

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
    """Selection of the hypothesis with the least reprojection error per frame and joint (D3DP's JPMA, section 3.3).

    The root of the result is at the origin, as in D3DP. D3DP calls the error of this result J-Agg.
    """

    def combine(self, hypotheses: Tensor, distance: Tensor, half_width: float) -> Tensor:
        nearest = distance.argmin(0)
        return hypotheses.gather(0, nearest[None, ..., None].expand(1, *hypotheses.shape[1:]))[0]


@AGGREGATORS.register_module()
class WeightedAggregator(_ReprojectionAggregator):
    """Mean of the hypotheses, weighted per joint by exp(-d² / 2σ²) with the reprojection error d in px.

    The result approaches the mean for large σ, and the selection of :class:`JointReprojectionAggregator`, which is
    sensitive to noisy keypoints, for small σ.

    Args:
        sigma: σ in px, approximately the error of the 2D detector.
        root: See :class:`JointReprojectionAggregator`.
    """

    def __init__(self, sigma: float = 10.0, root: Root = 'estimate') -> None:
        super().__init__(root)
        if not sigma > 0:
            raise ValueError(f'sigma must be positive, got {sigma}')
        self.sigma = sigma

    def combine(self, hypotheses: Tensor, distance: Tensor, half_width: float) -> Tensor:
        weight = torch.softmax(-(distance**2) / (2 * self.sigma**2), dim=0)
        return (weight.unsqueeze(-1) * hypotheses).sum(0)


@AGGREGATORS.register_module()
class ReprojectionExpectationAggregator(_ReprojectionAggregator):
    """Weighted mean of the hypotheses with the least reprojection errors, for each frame and joint (RPEA of FMPose3D).

    Of the ``top_k`` hypotheses with the smallest distance d between projection and keypoint, the weights are
    proportional to exp(-min(d, 20 ``temperature``) / ``temperature``). Where all distances are larger than 20 times the
    temperature, the weights are equal. With ``top_k=1`` this is :class:`JointReprojectionAggregator`.

    The published figures of FMPose3D are those of ``root='ground_truth'``.

    Args:
        top_k: Number of hypotheses in the mean; all, if there are fewer.
        temperature: In units of half the image width, as normalised keypoints have it: 0.005 is 2.5 px for an image of
            1000 px. The official command line has 0.002 with ``top_k=3``, the official test script 0.005 with 8.
        root: See :class:`JointReprojectionAggregator`.
        max_slope: x / z and y / z are clamped to ± this value before they are projected, as in the official code: 1 is
            45° from the optical axis. None: no clamping, for lenses with a wider angle of view.
    """

    def __init__(
        self,
        top_k: int = 8,
        temperature: float = 0.005,
        root: Root = 'estimate',
        max_slope: float | None = 1.0,
    ) -> None:
        super().__init__(root)
        require_whole(type(self).__name__, {'top_k': top_k}, least=1)
        require_finite(type(self).__name__, {'temperature': temperature})
        if temperature <= 0:
            raise ValueError(f'{type(self).__name__}: temperature must be positive, got {temperature}')
        if max_slope is not None and not max_slope > 0:
            raise ValueError(f'{type(self).__name__}: max_slope must be positive or None, got {max_slope}')
        self.top_k, self.temperature, self.max_slope = top_k, temperature, max_slope

    def _project(self, points: Tensor, sample: Sample) -> Tensor:
        if self.max_slope is not None:
            slopes = (points[..., :2] / points[..., 2:]).clamp(-self.max_slope, self.max_slope)
            points = torch.cat([slopes, torch.ones_like(slopes[..., :1])], dim=-1)
        return super()._project(points, sample)

    def combine(self, hypotheses: Tensor, distance: Tensor, half_width: float) -> Tensor:
        nearest = (distance / half_width).topk(min(self.top_k, len(hypotheses)), dim=0, largest=False)
        farthest = MAX_DISTANCE * self.temperature
        weight = torch.softmax(-nearest.values.clamp(max=farthest) / self.temperature, dim=0).unsqueeze(-1)
        chosen = hypotheses.gather(0, nearest.indices.unsqueeze(-1).expand(-1, *hypotheses.shape[1:]))
        return (weight * chosen).sum(0)


def _tensor(value: Any, like: Tensor) -> Tensor:
    return torch.as_tensor(value).to(like, non_blocking=True)
