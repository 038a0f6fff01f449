"""The loss of consistency models: estimates of x_0 that agree along a path from noise to the clean signal."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import torch
from torch import Tensor

from posediff.diffusion.memory import evaluation_mode
from posediff.diffusion.noise_schedulers import GaussianPath
from posediff.diffusion.prediction import per_row
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.options import TrainOptions
from posediff.models.time_grid import TimeGrid
from posediff.models.training_state import draw_times


class ConsistencyLoss:
    """Distance of the x_0 at time t from the x_0 at the adjacent time s with less noise (Song et al., ICML 2023).

    The consistency function f(x_t, t) is the x_0 that the denoiser's output means, whatever the prediction type. At the
    clean end it is the identity by definition, f(x, clean) = x, which is the target of the last interval; where the
    output is epsilon, v or a velocity, the estimate itself has this limit at noise = 0.

    ``teacher`` None is consistency training (Song et al. 2023, section 5 and algorithm 3): x_s has the x_0 and the
    noise of x_t. Else it is consistency distillation (section 4 and algorithm 2): x_s is one DDIM step of the frozen
    teacher from x_t. The choices that remain are those of Song and Dhariwal, "Improved Techniques for Training
    Consistency Models" (ICLR 2024): the target network is the trained one, without gradient (``momentum`` 0, section
    3.2); the distance is the pseudo-Huber metric of whole clips (section 3.3), here divided by sqrt(D), sqrt(mean of
    squares + huber²) - huber; weights are the inverse lengths of the intervals (section 3.1), here in
    noise / (signal + noise) and relative to the mean length, so that they are 1 on a uniform linear path. Targets are
    computed without dropout.

    It is no module: the weights of target network and teacher are not part of the state dict of the trained model.

    Args:
        path: The path.
        num_intervals: N, intervals from noise to the clean signal, by the rule ``spacing`` of the path.
        huber: Difference in head units below which the loss is quadratic, > 0. The paper has 0.00054, for images of
            standard deviation 0.5.
        momentum: Momentum of the target network as a moving average of the trained one, in [0, 1); 0: the trained one.
        denoiser: The trained denoiser, of which the moving average starts; needed for a positive momentum.
        teacher: The trained denoiser of a model of the same config; set to eval mode, without gradients.

    Attributes:
        num_intervals: N; may be changed during training.
        target: The moving average; None for ``momentum`` 0.
    """

    def __init__(
        self,
        path: GaussianPath,
        num_intervals: int,
        huber: float = 0.00054,
        momentum: float = 0.0,
        denoiser: BaseDenoiser | None = None,
        teacher: BaseDenoiser | None = None,
    ) -> None:
        if momentum > 0 and denoiser is None:
            raise ValueError(f'momentum={momentum:g} needs the denoiser of which the moving average starts')
        self.path, self.num_intervals, self.huber, self.momentum = path, num_intervals, huber, momentum
        self.target = None if momentum == 0 else _frozen(copy.deepcopy(denoiser))
        self.teacher = _frozen(teacher)
        self._grid: TimeGrid | None = None

    def __call__(
        self,
        denoiser: BaseDenoiser,
        x_0: Tensor,
        condition: Tensor,
        options: TrainOptions,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of a batch.

        Args:
            denoiser: The trained denoiser.
            x_0: (N, …) in head units.
            condition: (B, …), N a multiple of B.
            options: ``time_distribution`` says how intervals are drawn: a time is drawn, and its interval is taken.
            weight: Broadcastable to x_0, or None.

        Returns:
            Scalar.
        """
        grid = self._grid_on(x_0.device)
        noise = torch.randn_like(x_0)
        interval = grid.interval_of(draw_times(self.path, x_0.shape[0], x_0.device, options))
        signal, amount = per_row(grid.signal[interval], x_0), per_row(grid.noise[interval], x_0)
        x_t, t = signal * x_0 + amount * noise, grid.times[interval]
        target = self._target(denoiser, x_0, noise, x_t, interval, grid, condition.detach())
        difference = (self._estimate(denoiser, x_t, t, condition) - target).square()
        squares = (difference if weight is None else weight * difference).flatten(1).mean(1)
        distance = (squares + self.huber**2).sqrt() - self.huber
        return (grid.weight[interval] * distance).mean()

    @torch.no_grad()
    def update(self, denoiser: BaseDenoiser) -> None:
        """Move the moving average towards the trained denoiser; call it after every step of the optimizer."""
        if self.target is None:
            return
        for mean, value in zip(self.target.parameters(), denoiser.parameters(), strict=True):
            mean.lerp_(value, 1 - self.momentum)
        for kept, value in zip(self.target.buffers(), denoiser.buffers(), strict=True):
            kept.copy_(value)

    @torch.no_grad()
    def _target(
        self,
        denoiser: BaseDenoiser,
        x_0: Tensor,
        noise: Tensor,
        x_t: Tensor,
        interval: Tensor,
        grid: TimeGrid,
        condition: Tensor,
    ) -> Tensor:
        """Return f(x_s, s) for the clean ends s of the intervals, (N, …)."""
        if self.teacher is not None:
            x_0 = self._estimate(self.teacher, x_t, grid.times[interval], condition)
            signal, amount = per_row(grid.signal[interval], x_0), per_row(grid.noise[interval], x_0)
            noise = (x_t - signal * x_0) / amount
        x_s = per_row(grid.next_signal[interval], x_0) * x_0 + per_row(grid.next_noise[interval], x_0) * noise
        network = denoiser if self.target is None else self.target
        with evaluation_mode(network, x_s.device) if network.training else nullcontext():
            estimate = self._estimate(network, x_s, grid.next_times[interval], condition)
        torch.clear_autocast_cache()  # else the trained denoiser would use weights that were cast without gradient
        return torch.where(per_row(grid.ends_clean[interval], x_s), x_s, estimate)

    def _estimate(self, denoiser: BaseDenoiser, x: Tensor, times: Tensor, condition: Tensor) -> Tensor:
        return self.path.estimate(denoiser(x, self.path.network_time(times), condition), x, times)

    def _grid_on(self, device: torch.device) -> TimeGrid:
        if self._grid is None or (self._grid.num_intervals, self._grid.device) != (self.num_intervals, device):
            self._grid = TimeGrid(self.path, self.num_intervals, device)
        return self._grid


def _frozen(denoiser: BaseDenoiser | None) -> BaseDenoiser | None:
    return None if denoiser is None else denoiser.eval().requires_grad_(False)
