"""Training of consistency models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.hooks import Hook

from posediff.engine.model_wrappers import unwrap
from posediff.engine.teacher_denoiser import teacher_denoiser
from posediff.models.consistency import ConsistencyLoss
from posediff.registry import HOOKS
from posediff.structures.argument_checks import require_finite, require_whole

if TYPE_CHECKING:  # all registered components are imported for inference, which does not need MMEngine's Runner
    from mmengine.runner import Runner

STATE = 'consistency_target'
"""Key of the target network's state dict in a checkpoint."""


@HOOKS.register_module()
class ConsistencyHook(Hook):
    """Hook for consistency training, or distillation of a trained model to one or two denoiser calls.

    The model learns that its estimates of x_0 at two adjacent times of one path agree
    (:class:`posediff.models.consistency.ConsistencyLoss`, which names the sources); its own ``loss`` is not used. After
    training, one call gives a sample of x_0: ``num_inference_steps=1`` with ``DDIMSampler``. For two calls, take
    ``StochasticFlowSampler`` (Song et al., ICML 2023, algorithm 1): between calls, DDIM keeps the noise, which is right
    only for estimates of the mean of x_0. The model fits the same config, and its checkpoints the same estimator.

    The number of intervals is doubled in regular steps (Song and Dhariwal, ICLR 2024, section 3.4): in iteration k of
    K, N(k) = min(s_0·2^floor(k / K'), s_1) with K' = floor(K / (log2(floor(s_1 / s_0)) + 1)). The paper counts the ends
    of the intervals, one more.

    Args:
        checkpoint: Checkpoint of a trained model of the same config, for distillation: labels are used for the noisy
            states only. None: consistency training on labels.
        intervals: (s_0, s_1), first and last number of intervals. The default is the paper's; on a table, s_1 is at
            most its length.
        momentum: Momentum of the target network, in [0, 1). 0: the target network is the trained one, as the paper
            recommends for training on labels. Above 0: a moving average of it, as in Song et al. (2023), section 4.
        huber: See :class:`posediff.models.consistency.ConsistencyLoss`.

    Raises:
        ValueError: An option is out of range, or does not fit the model; with a checkpoint, also as for
            :class:`posediff.engine.reflow.ReflowHook`.
    """

    priority = 'NORMAL'

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        intervals: Sequence[int] = (10, 1280),
        momentum: float = 0.0,
        huber: float = 0.00054,
    ) -> None:
        name = type(self).__name__
        if len(intervals) != 2:
            raise ValueError(f'{name}: intervals must be (first, last), got {intervals!r}')
        first, last = intervals
        require_whole(name, {'the first of intervals': first}, least=1)
        require_whole(name, {'the last of intervals': last}, least=first)
        require_finite(name, {'momentum': momentum, 'huber': huber}, least=0)
        if momentum >= 1:
            raise ValueError(f'{name}: momentum must be in [0, 1), got {momentum!r}')
        if huber == 0:
            raise ValueError(f'{name}: huber must be positive, got {huber!r}')
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        self.intervals = first, last
        self.momentum, self.huber = momentum, huber
        self._resumed: dict[str, Any] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._resumed = checkpoint.get(STATE)

    def before_train(self, runner: Runner) -> None:
        """Set the loss of the model."""
        model: Any = unwrap(runner.model)
        self._check(model)
        name = type(self).__name__
        teacher = None if self.checkpoint is None else teacher_denoiser(model, self.checkpoint, name)
        path = model.noise_scheduler
        loss = ConsistencyLoss(path, self.intervals[0], self.huber, self.momentum, model.denoiser, teacher)
        if runner.iter > 0 and loss.target is not None:  # else load_from: the target belongs to another run
            if self._resumed is None:
                raise ValueError(
                    f'{name}: the checkpoint to resume from has no {STATE}: it was not made with momentum > 0; set '
                    'load_from to start from its weights'
                )
            loss.target.load_state_dict(self._resumed)
        self._resumed = None
        model.consistency = loss

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        loss = self._loss(runner)
        loss.num_intervals = num_intervals(runner.iter, runner.max_iters, *self.intervals)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        model: Any = unwrap(runner.model)
        model.consistency.update(model.denoiser)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        loss = self._loss(runner)
        if loss is not None and loss.target is not None:
            checkpoint[STATE] = loss.target.state_dict()

    def after_train(self, runner: Runner) -> None:
        """Remove the loss from the model, which is then trained with its own again."""
        model: Any = unwrap(runner.model)
        model.consistency = None

    def _loss(self, runner: Runner) -> Any:
        model: Any = unwrap(runner.model)
        return model.consistency

    def _check(self, model: Any) -> None:
        name = type(self).__name__
        if getattr(model, 'denoiser', None) is None:
            raise ValueError(f'{name} needs a model with a denoiser')
        if model.conditioner.has_start_state:
            raise ValueError(f'{name} starts from standard normal noise, but the conditioner has a start state')
        if model.teacher is not None:
            raise ValueError(f'{name} and ReflowHook train on different pairs; use one of them')
        if model.denoiser.self_conditioning:
            raise ValueError(f'{name}: self_conditioning takes the estimate of an earlier call, which one call has not')
        for option, without in (('own_states', 0), ('loss_weight', 'none')):
            value = getattr(model.train_cfg, option)
            if value != without:
                raise ValueError(f'{name}: train_cfg.{option}={value!r} does not apply to its loss; remove it')
        try:
            for number in self.intervals:
                model.noise_scheduler.walk(number)
        except ValueError as error:
            raise ValueError(
                f'{name}: intervals={self.intervals} do not fit {type(model.noise_scheduler).__name__}: {error}'
            ) from error


def num_intervals(iteration: int, num_iterations: int, first: int, last: int) -> int:
    """Return N(k) for iteration k of K, which doubles from ``first`` to ``last`` (see :class:`ConsistencyHook`)."""
    length = max(math.floor(num_iterations / (math.log2(last // first) + 1)), 1)
    return min(first * 2 ** (iteration // length), last)
