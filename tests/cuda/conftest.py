"""A CUDA device that is not there: devices are checked and waits are counted, nothing is computed.

Under :class:`FakeCuda` a tensor with ``device='cuda'`` is a fake one of torch's ``FakeTensorMode``: shapes, dtypes and
devices propagate, and two devices in one operation raise. Tensors on the CPU stay real. What would make the host wait
for the device is written down with the place in the code that asked for it, and then answered with zeros, so that one
run finds all of it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.autograd.function import BackwardCFunction
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
COPIES = (aten._to_copy.default, aten.copy_.default)
INDEXED = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default)
CHECKED = (aten._linalg_check_errors.default,)


class Wait(NamedTuple):
    """What the host waited for, and the function that asked for it (``posediff/models/losses.py:forward``)."""

    what: str
    where: str


class FakeCuda:
    """Context in which ``device='cuda'`` is fake.

    Attributes:
        waits: One entry for every time that the host would have waited for the device.
    """

    def __init__(self) -> None:
        self.waits: list[Wait] = []
        self._fake = FakeTensorMode(allow_non_fake_inputs=True)
        self._watch = _Watch(self.waits)

    def __enter__(self) -> FakeCuda:
        # parameters become fake by being replaced: their data cannot be exchanged
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
        """The waits so far that are not allowed, as text; then forgets all.

        Args:
            allowed: ``where`` of a wait, and how many times it may wait.
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
        if func is aten._transformer_encoder_layer_fwd.default:  # torch's fused layer, of which there is no fake one
            devices = {str(tensor.device) for tensor in tensors}
            if len(devices) > 1:
                raise RuntimeError(f'an encoder layer on two devices: {devices}')
            return torch.empty_like(args[0])
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
    """``loss.backward()`` without a CUDA driver, which torch's engine wants to see before it runs CUDA nodes.

    Calls the same nodes in the same order and adds up what they give; a gradient on another device than its tensor is
    an error, and its dtype and its broadcast axes become those of the tensor, as in the engine.
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
    """Edges of a node with the gradients that it sends along them."""
    metadata = node._input_metadata
    if not isinstance(node, BackwardCFunction):
        sent = node(*(given.get(number) for number in range(len(metadata))))
        edges = node.next_functions
    else:  # a Function in Python: gets zeros for what it does not get, and gives one gradient for every argument
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
    """``torch.autocast('cuda', dtype)``, which switches itself off where there is no driver; nothing for None."""
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
    """The fake device, for as long as the test runs."""
    with FakeCuda() as fake:
        yield fake


PRECISIONS = (None, torch.bfloat16, torch.float16)


def run_model(
    model: Any,
    training: Callable[[], Any],
    testing: Callable[[], Any],
    allowed: Sequence[tuple[str, int]],
    predicts: Sequence[torch.dtype | None] = PRECISIONS,
    allowed_in_loss: Sequence[tuple[str, int]] = (),
) -> list[str]:
    """Loss, backward and predict of a model on the fake device, in three precisions.

    Args:
        model: Built on the CPU.
        training, testing: Make a batch on the CPU, as the loader does.
        allowed: Waits of predict.
        predicts: Precisions in which it predicts.
        allowed_in_loss: Waits of the loss.

    Returns:
        The waits that are not allowed.
    """
    found = []
    with FakeCuda() as fake:
        model.to('cuda')
        fake.waits.clear()
        for dtype in PRECISIONS:
            with mixed_precision(dtype):
                losses = model.train()(**model.data_preprocessor(training(), True), mode='loss')
            loss = sum(value for name, value in losses.items() if 'loss' in name)
            assert loss.device.type == 'cuda'
            backward(loss)
            without = [name for name, one in model.named_parameters() if one.requires_grad and one.grad is None]
            assert not without, f'without a gradient: {without}'
            model.zero_grad()
            found += [f'loss, {dtype}: {wait}' for wait in fake.unlisted(allowed_in_loss)]
            if dtype not in predicts:
                continue
            with mixed_precision(dtype), torch.no_grad():
                model.eval().test_step(testing())
            found += [f'predict, {dtype}: {wait}' for wait in fake.unlisted(allowed)]
    return found


class Tools(NamedTuple):
    """What tests of this folder use beside the device."""

    backward: Any
    mixed_precision: Any
    walking: Any
    run_model: Any
    precisions: Sequence[torch.dtype | None]


@pytest.fixture(scope='session')
def tools() -> Tools:
    """:func:`backward`, :func:`mixed_precision`, :func:`walking` and :func:`run_model`."""
    return Tools(backward, mixed_precision, walking, run_model, PRECISIONS)
