"""The conditioner of DiffPose for 3D poses: the pose of a frozen lifter, from which the reverse process starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from posediff.diffusion.gaussian_mixture import GaussianMixture
from posediff.fileio.checkpoint import load_state
from posediff.models.conditioners.frozen_lifter import FrozenLifterConditioner
from posediff.models.start_state import StartState
from posediff.registry import CONDITIONERS
from posediff.structures.argument_checks import require_finite
from posediff.structures.skeletons import get_skeleton

HEAD_PREFIX = 'head.regression.'

DETECTION: dict[str, Sequence[Any]] = {'weight': [1.0], 'offset': [[0.0, 0.0]], 'std': [[0.01, 0.01]]}
"""One Gaussian at the detected joint; 0.01 is 5 px in a picture 1000 px wide."""


@CONDITIONERS.register_module()
class LiftedPoseConditioner(FrozenLifterConditioner):
    """A conditioner that returns 2D joints and the pose of a trained, frozen lifter: the start of the reverse process.

    Lifter and regression are those of a supervised model: ``LifterConditioner`` and ``LiftingHead(in_channels=…)``,
    whose ``scale`` must be that of this model's head. The root joint is subtracted from the pose (Gong et al.,
    "DiffPose: Toward More Reliable 3D Pose Estimation", CVPR 2023, section 3.3 and the released code).

    The true position of a 2D joint is a mixture of Gaussians around the detected one:
    :func:`posediff.diffusion.gaussian_mixture.fit_mixture` fits it to the errors of a detector. The pose has one
    Gaussian.

    Args:
        lifter, checkpoint, center, init_cfg: See :class:`FrozenLifterConditioner`; the checkpoint holds the regression
            too.
        in_channels: Features per joint of the lifter.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines the root joint.
        keypoints: Mixture of 2D joints: ``weight`` (G,), ``offset`` from the detected joint (G, 2) and ``std`` (G, 2)
            in units of ``keypoints_2d_norm``, equal for all joints, or with a leading axis K.
        pose_std: Standard deviation of the epsilon of the 3D joints, in head units; 1 in the released code.
        noise_share: See :class:`posediff.models.start_state.StartState`; 0 in the released code.

    Raises:
        ValueError: The mixture is not one.
    """

    has_start_state = True
    keypoint_weight: Tensor
    keypoint_offset: Tensor
    keypoint_std: Tensor

    def __init__(
        self,
        lifter: dict[str, Any],
        in_channels: int,
        checkpoint: str | Path | None = None,
        center: bool = False,
        skeleton: str = 'h36m17',
        keypoints: dict[str, Sequence[Any]] | None = None,
        pose_std: float = 1.0,
        noise_share: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(lifter, checkpoint, center, init_cfg)
        require_finite(type(self).__name__, {'pose_std': pose_std, 'noise_share': noise_share}, least=0)
        self.root = get_skeleton(skeleton).root
        self.regression = nn.Linear(in_channels, 3).requires_grad_(False)
        self.pose_std, self.noise_share = pose_std, noise_share
        parts = keypoint_mixture(DETECTION if keypoints is None else keypoints, get_skeleton(skeleton).num_joints)
        for name, value in zip(('weight', 'offset', 'std'), parts, strict=True):
            self.register_buffer(f'keypoint_{name}', value, persistent=False)

    def init_weights(self) -> None:
        """Load lifter and regression from the checkpoint, if it is given and exists.

        Raises:
            ValueError: The checkpoint lacks one of them, or has one with other weights.
        """
        had = self._has_weights
        super().init_weights()
        if had or not self._has_weights or self.checkpoint is None:
            return
        state = load_state(self.checkpoint)
        own = {key.removeprefix(HEAD_PREFIX): value for key, value in state.items() if key.startswith(HEAD_PREFIX)}
        try:
            self.regression.load_state_dict(own)
        except RuntimeError as error:
            raise ValueError(f'{HEAD_PREFIX}* in {self.checkpoint} is not that of the config: {error}') from error

    def forward(self, features: Tensor) -> Tensor:
        """Map 2D joints (B, T, K, 2 or 3) to [2D joint, 3D joint] (B, T, K, 5), without gradient."""
        with torch.no_grad():
            pose = self.regression(super().forward(features))
            pose = pose - pose[..., self.root : self.root + 1, :]
            return torch.cat([features[..., :2], pose.to(features.dtype)], dim=-1)

    def start_state(self, condition: Tensor) -> StartState:
        """Return the mixture (B, T, K, G, 5) around the condition (B, T, K, 5) of :meth:`forward`."""
        clips, frames = condition.shape[:2]
        weight = self.keypoint_weight.expand(clips, frames, -1, -1)
        shape = (*weight.shape, 3)
        joints = condition[..., None, :].float()
        mean = torch.cat([joints[..., :2] + self.keypoint_offset, joints[..., 2:].expand(shape)], dim=-1)
        std = torch.cat([
            self.keypoint_std.expand(*weight.shape, 2), self.keypoint_std.new_full((), self.pose_std).expand(shape)
        ], dim=-1)  # fmt: skip
        return StartState(GaussianMixture(weight, mean, std), self.noise_share)


def keypoint_mixture(given: dict[str, Sequence[Any]], num_joints: int) -> GaussianMixture:
    """Return a mixture (K, G), (K, G, 2), (K, G, 2) of numbers for all joints or for each of them.

    Raises:
        ValueError: A part is missing or has another shape, weights do not sum to 1, or a number is negative.
    """
    if set(given) != set(DETECTION):
        raise ValueError(f'a mixture of keypoints has {", ".join(DETECTION)}; got {", ".join(map(str, given))}')
    weight, offset, std = (torch.tensor(given[name], dtype=torch.float32) for name in DETECTION)
    components = weight.shape[-1] if weight.dim() else 0
    shapes = [(components, 2), (num_joints, components, 2)]
    right = tuple(weight.shape) in {(components,), (num_joints, components)}
    if not components or not right or any(tuple(part.shape) not in shapes for part in (offset, std)):
        found = ', '.join(
            f'{name} {tuple(part.shape)}' for name, part in zip(DETECTION, (weight, offset, std), strict=True)
        )
        raise ValueError(f'a mixture of keypoints has weight (G,), offset and std (G, 2), or (K, …); got {found}')
    if bool((weight < 0).any() | (std < 0).any()) or not torch.allclose(weight.sum(-1), torch.ones(())):
        raise ValueError(f'weights of a mixture must sum to 1, and weight and std not be negative; got {given}')
    return GaussianMixture(
        weight.expand(num_joints, components),
        offset.expand(num_joints, components, 2),
        std.expand(num_joints, components, 2),
    )
