"""Transfer of a training step's logged values from the device in one copy."""

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
    """Hook that copies the losses and the gradient norm of a training step to the host in one transfer.

    MMEngine reads the gradient norm during clipping and every loss after the step, and waits for the device each time.
    With this hook a step waits once, at its end. The logged names and values are unchanged.
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
    """Wrapper of a clipping function that keeps the returned gradient norm on the device.

    Attributes:
        norm: Norm of the last call; None after it was logged, or if the function returns none.
    """

    def __init__(self, clip: Callable[..., Tensor | None]) -> None:
        self.clip = clip
        self.norm: Tensor | None = None

    def __call__(self, parameters: Iterable[Tensor], **kwargs: Any) -> None:
        self.norm = self.clip(parameters, **kwargs)
