"""Training losses of ``(output, target, weight=None)``: tensors (N, …) of one shape, ``weight`` broadcastable to it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from posediff.registry import MODELS


def _mean(values: Tensor, weight: Tensor | None) -> Tensor:
    return values.mean() if weight is None else (values * weight).mean()


@MODELS.register_module()
class SquaredErrorLoss(nn.Module):
    """Mean squared error over all elements.

    It is the simple loss of DDPM (eq. 14), and the loss of DiffHPE (section 3.4) and of its MixSTE lifter.
    """

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        return _mean((output.float() - target) ** 2, weight)


@MODELS.register_module()
class PoseDistanceLoss(nn.Module):
    """Mean Euclidean distance over joints (…, K, D), the loss of D3DP on x_0."""

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        distance = (output.float() - target).norm(dim=-1)
        return _mean(distance, None if weight is None else weight.squeeze(-1))


@MODELS.register_module()
class MixSTELoss(nn.Module):
    """Training loss of MixSTE on poses (N, T, K, 3) (Zhang et al. 2022, section 3.4 and the official code).

    L = mean_j w_j‖p - y‖ + temporal · mean_j w_j‖p_t - p_{t-1}‖² + velocity · mean‖Δp - Δy‖: weighted distance,
    weighted squared difference of consecutive predicted frames, distance of velocities.

    ``weight`` scales errors. The weight of a step between two frames is the smaller weight of the two.

    Args:
        joint_weights: K weights; the default is the official one for ``h36m17``.
        temporal, velocity: Weights of the second and third term.
        scale_by_value: Multiply the loss by its own detached value, as the official code does when it calls
            ``loss.backward(loss)``; its gradient is then that of L²/2.
    """

    joint_weights: Tensor

    H36M17_WEIGHTS = (1, 1, 2.5, 2.5, 1, 2.5, 2.5, 1, 1, 1, 1.5, 1.5, 4, 4, 1.5, 4, 4)

    def __init__(
        self,
        joint_weights: Sequence[float] = H36M17_WEIGHTS,
        temporal: float = 0.5,
        velocity: float = 2.0,
        scale_by_value: bool = False,
    ) -> None:
        super().__init__()
        self.register_buffer('joint_weights', torch.tensor(joint_weights, dtype=torch.float32), persistent=False)
        self.temporal = temporal
        self.velocity = velocity
        self.scale_by_value = scale_by_value

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        if output.shape[-2] != len(self.joint_weights):
            raise ValueError(f'{len(self.joint_weights)} joint weights do not fit poses of {output.shape[-2]} joints')
        output = output.float()
        distance = (output - target).norm(dim=-1) * self.joint_weights
        steps, true_steps = output.diff(dim=-3), target.diff(dim=-3)
        smoothness = steps.square() * self.joint_weights[:, None]
        velocity = (steps - true_steps).norm(dim=-1)
        if weight is not None:
            weight = weight.expand(*output.shape[:-1], 1)
            step_weight = torch.minimum(weight[..., 1:, :, :], weight[..., :-1, :, :])
            distance, velocity = distance * weight.squeeze(-1), velocity * step_weight.squeeze(-1)
            smoothness = smoothness * step_weight
        loss = distance.mean() + self.temporal * smoothness.mean() + self.velocity * velocity.mean()
        return loss * loss.detach() if self.scale_by_value else loss
