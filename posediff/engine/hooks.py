"""Hooks for training: random state and checks before the first step."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_rank
from mmengine.hooks import CheckpointHook, Hook

from posediff.datasets.passes import tell_passes
from posediff.engine.model_wrappers import unwrap
from posediff.fileio.checkpoint import check_state, state_of
from posediff.registry import HOOKS

if TYPE_CHECKING:  # all registered components are imported for inference, which does not need MMEngine's Runner
    from mmengine.runner import Runner


def get_random_state() -> dict[str, Any]:
    """Return the states of the global generators of Python, NumPy and PyTorch (CPU, CUDA) as plain data and tensors."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()
    return {
        'python': [version, list(internal), gauss],
        'numpy': [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_gauss, cached],
        'torch': torch.get_rng_state(),
        'cuda': torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Restore states that :func:`get_random_state` returned."""
    version, internal, gauss = state['python']
    random.setstate((version, tuple(internal), gauss))
    name, keys, *rest = state['numpy']
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state['torch'].cpu())
    if state['cuda'] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([one.cpu() for one in state['cuda']])


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Hook that makes a resumed run draw the same random numbers as an uninterrupted one.

    The generator states of every rank are stored in checkpoints and restored on resume. After validation, the states
    before it are restored, so that validation does not affect training. The hook sets the dataset's epoch, which seeds
    every item; in iteration-based training, the epoch is the number of the pass over the dataset
    (:mod:`posediff.datasets.passes`).
    """

    priority = 'NORMAL'  # runs before CheckpointHook, which is VERY_LOW

    def __init__(self) -> None:
        self._states: list[dict[str, Any]] | None = None
        self._resumed: list[dict[str, Any]] | None = None
        self._before_val: dict[str, Any] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._resumed = checkpoint.get('random_states')

    def before_train(self, runner: Runner) -> None:
        if runner.epoch == 0 and runner.iter == 0:  # load_from: the states belong to another run
            self._resumed = None

    def before_train_epoch(self, runner: Runner) -> None:
        set_epoch = getattr(runner.train_dataloader.dataset, 'set_epoch', None)
        if set_epoch is not None:
            set_epoch(runner.epoch)
        if not _trains_by_iterations(runner):
            self._restore(runner)
        elif set_epoch is not None and not tell_passes(runner.train_dataloader):
            runner.logger.warning(
                'the batch sampler is not that of PyTorch: the epoch of the dataset cannot be set, and every pass '
                'draws the same random values'
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if _trains_by_iterations(runner):
            self._restore(runner)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if _trains_by_iterations(runner) and self._saves_now(runner):
            self._states = all_gather_object(get_random_state())

    def after_train_epoch(self, runner: Runner, metrics: Any = None) -> None:
        self._states = all_gather_object(get_random_state())

    def before_val_epoch(self, runner: Runner) -> None:
        self._before_val = get_random_state()

    def after_val_epoch(self, runner: Runner, metrics: Any = None) -> None:
        if self._before_val is not None:
            set_random_state(self._before_val)
            self._before_val = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if self._states is not None:
            checkpoint['random_states'] = self._states

    def _saves_now(self, runner: Runner) -> bool:
        """Return whether CheckpointHook saves after this iteration."""
        intervals = [hook.interval for hook in runner.hooks if isinstance(hook, CheckpointHook) and not hook.by_epoch]
        last = self.is_last_train_iter(runner)
        return last or any(self.every_n_train_iters(runner, interval) for interval in intervals)

    def _restore(self, runner: Runner) -> None:
        if self._resumed is None:
            return
        if get_rank() < len(self._resumed):
            set_random_state(self._resumed[get_rank()])
        else:
            runner.logger.warning(
                'the checkpoint has random states of %d ranks; rank %d keeps its own', len(self._resumed), get_rank()
            )
        self._resumed = None


@HOOKS.register_module()
class ReadyToTrainHook(Hook):
    """Hook that stops a training run whose model is not completely initialised.

    It stops if the model lacks weights, e.g. those of its frozen lifter, or if the checkpoint (``load_from``,
    ``resume``) has other keys or shapes than the model, for which MMEngine would keep random weights. To initialise a
    part of a model from a file, use ``init_cfg=dict(type='Pretrained', …)``.

    Attributes:
        passed: Whether training has started; errors before that are reported as errors of the input.
    """

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.passed = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        origin = runner._load_from or 'the checkpoint in the work dir'
        check_state(unwrap(runner.model), state_of(checkpoint, origin), origin)

    def before_train(self, runner: Runner) -> None:
        model: Any = unwrap(runner.model)
        # models of MMPose do not say whether they are
        missing = model.ready_to_train() if hasattr(model, 'ready_to_train') else None
        if missing:
            raise RuntimeError(f'training was not started: {missing}')
        self.passed = True


def _trains_by_iterations(runner: Runner) -> bool:
    from mmengine.runner import IterBasedTrainLoop

    return isinstance(runner.train_loop, IterBasedTrainLoop)
