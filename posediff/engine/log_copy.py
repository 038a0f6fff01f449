"""One copy of everything that a training step logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from mmengine.hooks import Hook
from torch import Tensor

from posediff.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.runner import Runner


@HOOKS.register_module()
class LogCopyHook(Hook):
    """Copy the losses and the gradient norm of a training step to the host together.

    MMEngine reads the gradient norm while it clips and every loss after the step, each time waiting for the device.
    With this hook a step waits once, at its end. The logged names and values are the same.
    """

    priority = 'HIGHEST'  # before RuntimeInfoHook, which reads the losses one by one

    def before_train(self, runner: Runner) -> None:
        wrapper = runner.optim_wrapper
        if getattr(wrapper, 'clip_grad_kwargs', None) and not isinstance(wrapper.clip_func, _KeptNorm):
            wrapper.clip_func = _KeptNorm(wrapper.clip_func)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        if outputs is None:
            return
        clip = getattr(runner.optim_wrapper, 'clip_func', None)
        if isinstance(clip, _KeptNorm) and clip.norm is not None:
            outputs[runner.optim_wrapper.grad_name] = clip.norm
            clip.norm = None
        tensors = {name: value for name, value in outputs.items() if isinstance(value, Tensor)}
        if tensors:
            values = torch.stack([value.detach().float().mean() for value in tensors.values()]).cpu().tolist()
            outputs.update(zip(tensors, values, strict=True))


class _KeptNorm:
    """A function that clips gradients and keeps the norm that it returns, on the device, for the log.

    Attributes:
        norm: Of the last call; None where it was taken or the function returns none.
    """

    def __init__(self, clip: Callable[..., Tensor | None]) -> None:
        self.clip = clip
        self.norm: Tensor | None = None

    def __call__(self, parameters: Iterable[Tensor], **kwargs: Any) -> None:
        self.norm = self.clip(parameters, **kwargs)
