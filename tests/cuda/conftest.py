"""A fake CUDA device, which checks devices and counts synchronisations without computing.

Under :class:`FakeCuda` a tensor with ``device='cuda'`` is a fake tensor of torch's ``FakeTensorMode``: shapes, dtypes
and devices propagate, and two devices in one operation raise. Tensors on the CPU are real. Operations that would make
the host wait for the device are recorded with their place in the code and return zeros, so that one run finds all.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import DefaultScope
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.autograd.function import BackwardCFunction
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

from posediff.engine.log_copy import LogCopyHook

aten = torch.ops.aten
COPIES = (aten._to_copy.default, aten.copy_.default)
INDEXED = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default)
CHECKED = (aten._linalg_check_errors.default,)


class Wait(NamedTuple):
    """An operation that the host waited for, and its caller (``posediff/models/losses.py:forward``)."""

    what: str
    where: str


class FakeCuda:
    """Context manager in which ``device='cuda'`` is fake.

    Attributes:
        waits: One entry per synchronisation of the host with the device.
    """

    def __init__(self) -> None:
        self.waits: list[Wait] = []
        self._fake = FakeTensorMode(allow_non_fake_inputs=True)
        self._watch = _Watch(self.waits)

    def __enter__(self) -> FakeCuda:
        # parameters are replaced by fake ones, since their data cannot be exchanged
        self._overwrite = torch.__future__.get_overwrite_module_params_on_conversion()
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        self._fake.__enter__()
        self._watch.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._watch.__exit__(*error)
        self._fake.__exit__(*error)
        torch.__future__.set_overwrite_module_params_on_conversion(self._overwrite)

    def unlisted(self, allowed: Sequence[tuple[str, int]]) -> list[str]:
        """Return the waits so far that are not allowed, as text, and delete all.

        Args:
            allowed: ``where`` of a wait → allowed number.
        """
        left = Counter(dict(allowed))
        found = []
        for wait in self.waits:
            left[wait.where] -= 1
            if left[wait.where] < 0:
                found.append(f'{wait.what} in {wait.where}')
        self.waits.clear()
        return found


class _Watch(TorchDispatchMode):
    def __init__(self, waits: list[Wait]) -> None:
        super().__init__()
        self.waits = waits

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        device = kwargs.get('device')
        device = None if device is None else torch.device(device).type
        if device != 'cuda' and not any(isinstance(tensor, FakeTensor) for tensor in tensors):
            with _disable_current_modes():
                return func(*args, **kwargs)
        if func in COPIES:
            return self._copy(func, args, kwargs, device)
        if func is aten._local_scalar_dense.default:
            self._note('a value')
            return False if args[0].dtype == torch.bool else args[0].dtype.is_floating_point * 0.0
        if func in INDEXED and any(index is not None and index.device.type == 'cpu' for index in args[1]):
            self._note('a copy of an index to the device')
        if func is aten._transformer_encoder_layer_fwd.default:  # torch's fused layer, which has no fake implementation
            devices = {str(tensor.device) for tensor in tensors}
            if len(devices) > 1:
                raise RuntimeError(f'an encoder layer on two devices: {devices}')
            return torch.empty_like(args[0])
        if func is aten.cudnn_grid_sampler.default:  # no fake implementation either
            return args[0].new_empty((*args[0].shape[:2], *args[1].shape[1:3]))
        if func is aten.cudnn_grid_sampler_backward.default:
            return torch.empty_like(args[0]), torch.empty_like(args[1])
        if func in CHECKED:
            self._note('the outcome of a factorisation')
        return func(*args, **kwargs)

    def _copy(self, func: Any, args: Any, kwargs: Any, device: str | None) -> Any:
        in_place = func is aten.copy_.default
        source, target = (args[1], args[0].device.type) if in_place else (args[0], device or args[0].device.type)
        non_blocking = kwargs.get('non_blocking', in_place and len(args) > 2 and args[2])
        if source.device.type == 'cuda' and target == 'cpu':
            self._note('a copy to the host')
            with _disable_current_modes():
                if in_place:
                    return args[0].zero_()
                return torch.zeros(source.shape, dtype=kwargs.get('dtype') or source.dtype)
        if source.device.type == 'cpu' and target == 'cuda' and not non_blocking:
            self._note('a copy to the device')
        return func(*args, **kwargs)

    def _note(self, what: str) -> None:
        frame = sys._getframe(1)
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if path != Path(__file__) and 'torch' not in path.parts:
                parts = path.parts
                start = max((index for index, part in enumerate(parts) if part in PACKAGES), default=-2)
                self.waits.append(Wait(what, f'{"/".join(parts[start:])}:{frame.f_code.co_name}'))
                return
            frame = frame.f_back
        self.waits.append(Wait(what, 'nowhere'))


PACKAGES = ('posediff', 'mmengine', 'mmcv', 'mmpose', 'mmpretrain', 'timm', 'diffusers')


def backward(loss: torch.Tensor) -> None:
    """Run ``loss.backward()`` without a CUDA driver, which torch's engine requires for CUDA nodes.

    It calls the same nodes in the same order and accumulates gradients. A gradient on another device than its tensor is
    an error; its dtype and broadcast axes are converted to those of the tensor, as in the engine.
    """
    order: list[Any] = []
    seen = {loss.grad_fn}
    stack = [(loss.grad_fn, iter(loss.grad_fn.next_functions))]
    while stack:
        node, edges = stack[-1]
        following = next((other for other, _ in edges if other is not None and other not in seen), None)
        if following is None:
            order.append(stack.pop()[0])
        else:
            seen.add(following)
            stack.append((following, iter(following.next_functions)))
    gradients: dict[Any, dict[int, torch.Tensor]] = {loss.grad_fn: {0: torch.ones_like(loss)}}
    with torch.no_grad():
        for node in reversed(order):
            given = gradients.pop(node, None)
            if given is None:
                continue
            for (following, number), gradient in _results(node, given):
                metadata = following._input_metadata[number]
                if gradient.device != metadata.device:
                    raise RuntimeError(f'{node.name()}: a gradient on {gradient.device} of {metadata.device}')
                gradient = gradient.to(metadata.dtype)
                if gradient.shape != torch.Size(metadata.shape):
                    gradient = gradient.sum_to_size(*metadata.shape)
                known = gradients.setdefault(following, {})
                known[number] = known[number] + gradient if number in known else gradient


def _results(node: Any, given: dict[int, torch.Tensor]) -> Iterator[tuple[tuple[Any, int], torch.Tensor]]:
    """Return the edges of a node with the gradients for them."""
    metadata = node._input_metadata
    if not isinstance(node, BackwardCFunction):
        sent = node(*(given.get(number) for number in range(len(metadata))))
        edges = node.next_functions
    else:  # an autograd.Function gets zeros for missing gradients and returns one gradient per argument
        filled = (
            given.get(number) if number in given else torch.zeros(one.shape, dtype=one.dtype, device=one.device)
            for number, one in enumerate(metadata)
        )
        sent = node.apply(*filled)
        sent = sent if isinstance(sent, tuple) else (sent,)
        sent = tuple(one for one, needed in zip(sent, node.needs_input_grad, strict=False) if needed)
        edges = [edge for edge in node.next_functions if edge[0] is not None]
    sent = sent if isinstance(sent, tuple) else (sent,)
    for edge, gradient in zip(edges, sent, strict=False):
        if edge[0] is not None and gradient is not None:
            yield edge, gradient


@contextmanager
def mixed_precision(dtype: torch.dtype | None) -> Iterator[None]:
    """Return ``torch.autocast('cuda', dtype)``, which is inactive without a driver; a null context for None."""
    if dtype is None:
        yield
        return
    enabled, kept = torch.is_autocast_enabled('cuda'), torch.get_autocast_dtype('cuda')
    torch.autocast_increment_nesting()
    torch.set_autocast_enabled('cuda', True)
    torch.set_autocast_dtype('cuda', dtype)
    try:
        yield
    finally:
        if torch.autocast_decrement_nesting() == 0:
            torch.clear_autocast_cache()
        torch.set_autocast_enabled('cuda', enabled)
        torch.set_autocast_dtype('cuda', kept)


def walking(base: type[OptimWrapper]) -> type[OptimWrapper]:
    """An optimizer wrapper whose backward pass runs without a driver."""

    class Walking(base):  # type: ignore[misc, valid-type]
        def backward(self, loss: torch.Tensor, **kwargs: Any) -> None:
            backward(loss)
            self._inner_count += 1

    return Walking


@pytest.fixture
def fake_cuda() -> Iterator[FakeCuda]:
    """Activate the fake device during the test."""
    with FakeCuda() as fake:
        yield fake


PRECISIONS = (None, torch.bfloat16, torch.float16)


# A training step copies its losses and gradient norm to the host in one transfer at its end.
LOG = [('posediff/engine/log_copy.py:after_train_iter', 1)]


def train_step(model: Any, wrapper: OptimWrapper, data: Any, hooks: Sequence[Any]) -> dict[str, float]:
    """Run one training step like MMEngine's loop: loss, backward, clipping, optimizer, log.

    Returns:
        The logged values.
    """
    hub = MessageHub.get_instance('a training step')
    hub.log_scalars.clear()
    wrapper.message_hub = hub
    runner = SimpleNamespace(optim_wrapper=wrapper, message_hub=hub)
    for hook in hooks:
        hook.before_train(runner)
    outputs = model.train_step(data, wrapper)
    for hook in hooks:
        hook.after_train_iter(runner, 0, None, outputs)
    return {name: scalar.current() for name, scalar in hub.log_scalars.items()}


def run_model(
    model: Any,
    training: Callable[[], Any],
    testing: Callable[[], Any],
    optim_wrapper: dict[str, Any],
    allowed: Sequence[tuple[str, int]],
    allowed_in_step: Sequence[tuple[str, int]] = (),
) -> list[str]:
    """Run a training step and a prediction of a model on the fake device, in three precisions.

    Args:
        model: Model on the CPU.
        training, testing: Return a batch on the CPU, as the loader does.
        optim_wrapper: Config; gradients are always clipped by their norm.
        allowed: Allowed waits of predict.
        allowed_in_step: Allowed waits of the training step besides that of the log.

    Returns:
        The waits that are not allowed.
    """
    found = []
    optim_wrapper = ConfigDict(optim_wrapper, clip_grad={'max_norm': 1.0})
    with FakeCuda() as fake:
        model.to('cuda')
        fake.waits.clear()
        for dtype in PRECISIONS:
            with DefaultScope.overwrite_default_scope('posediff'):  # as in a runner
                wrapper = build_optim_wrapper(model, optim_wrapper)
            wrapper.__class__ = walking(type(wrapper))
            with mixed_precision(dtype):
                logged = train_step(model.train(), wrapper, training(), [LogCopyHook(), InfoHook()])
            assert {'train/grad_norm', 'train/loss'} <= logged.keys()
            trained = [one for one in model.parameters() if one.requires_grad]
            assert all('exp_avg' in wrapper.optimizer.state[one] for one in trained), 'a parameter without a gradient'
            found += [f'training step, {dtype}: {wait}' for wait in fake.unlisted([*LOG, *allowed_in_step])]
            with mixed_precision(dtype), torch.no_grad():
                model.eval().test_step(testing())
            found += [f'predict, {dtype}: {wait}' for wait in fake.unlisted(allowed)]
    return found


class InfoHook(RuntimeInfoHook):
    """MMEngine's hook that logs a step, without its work before training, which concerns the whole run."""

    def before_train(self, runner: Any) -> None:
        pass


class Tools(NamedTuple):
    """Helpers for the tests of this folder."""

    backward: Any
    mixed_precision: Any
    walking: Any
    train_step: Any
    run_model: Any
    info_hook: Any
    log: Sequence[tuple[str, int]]


@pytest.fixture(scope='session')
def tools() -> Tools:
    """:func:`backward`, :func:`mixed_precision`, :func:`walking`, :func:`train_step`, :func:`run_model` and more."""
    return Tools(backward, mixed_precision, walking, train_step, run_model, InfoHook, LOG)
