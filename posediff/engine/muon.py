"""The optimizer Muon, with AdamW for the parameters that are no matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from posediff.registry import OPTIMIZERS

# Coefficients of the iteration and factor of the update: Jordan et al. 2024 and Liu et al. 2025.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
UPDATE_RMS = 0.2


@OPTIMIZERS.register_module()
class MuonAdamW(Optimizer):
    """Muon for large matrices, AdamW for all other parameters.

    Muon orthogonalises the momentum of each matrix (Jordan et al., "Muon: An optimizer for hidden layers in neural
    networks", 2024). The update is multiplied by 0.2 · sqrt(max(rows, columns)), so that its root mean square is that
    of AdamW and both share learning rate and weight decay (Liu et al., "Muon is scalable for LLM training", 2025,
    eq. 4). PyTorch has a Muon since 2.9; it takes matrices only, and a runner has one optimizer.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate.
        momentum: Decay of Muon's momentum, which is of Nesterov's form.
        betas, eps: As in AdamW, for the parameters without Muon.
        weight_decay: Decoupled weight decay of all parameters.
        min_size: Muon is for parameters with two axes, both at least this long. Smaller ones are the biases and
            normalisations, and the first and last layers of a network with few inputs or outputs, for which Jordan et
            al. recommend AdamW.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        min_size: int = 64,
    ) -> None:
        for name, value in (('lr', lr), ('eps', eps), ('weight_decay', weight_decay)):
            if not value >= 0:
                raise ValueError(f'MuonAdamW: {name} must not be negative, got {value!r}')
        for name, value in (('momentum', momentum), ('betas[0]', betas[0]), ('betas[1]', betas[1])):
            if not 0 <= value < 1:
                raise ValueError(f'MuonAdamW: {name} must be in [0, 1), got {value!r}')
        super().__init__(
            params,
            {
                'lr': lr, 'momentum': momentum, 'betas': tuple(betas), 'eps': eps, 'weight_decay': weight_decay,
                'min_size': min_size,
            },
        )  # fmt: skip

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group['params']:
                if parameter.grad is None:
                    continue
                parameter.mul_(1 - group['lr'] * group['weight_decay'])
                update = self._muon if _is_large(parameter, group['min_size']) else self._adam
                parameter.add_(update(parameter.grad, self.state[parameter], group), alpha=-group['lr'])
        return loss

    @staticmethod
    def _muon(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
        if not state:
            state['momentum_buffer'] = torch.zeros_like(gradient)
        average = state['momentum_buffer'].lerp_(gradient, 1 - group['momentum'])
        ahead = gradient.lerp(average, group['momentum'])
        return orthogonalize(ahead) * (UPDATE_RMS * max(gradient.shape) ** 0.5)

    @staticmethod
    def _adam(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
        first, second = group['betas']
        if not state:
            state['step'] = 0
            state['exp_avg'], state['exp_avg_sq'] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        state['step'] += 1
        mean = state['exp_avg'].lerp_(gradient, 1 - first) / (1 - first ** state['step'])
        square = state['exp_avg_sq'].lerp_(gradient.square(), 1 - second) / (1 - second ** state['step'])
        return mean / (square.sqrt() + group['eps'])


def orthogonalize(matrix: Tensor) -> Tensor:
    """Replace the singular values of a matrix (n, m) by values near 1: five steps of a Newton-Schulz iteration.

    The coefficients raise small singular values fast and end between about 0.7 and 1.2; bfloat16 is precise enough for
    that (Jordan et al. 2024).
    """
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.mT if tall else matrix).bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).to(matrix.dtype)


def _is_large(parameter: Tensor, min_size: int) -> bool:
    return parameter.ndim == 2 and min(parameter.shape) >= min_size
