"""Measure the peak memory of a network."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# Fused layers, inside which autocast casts. Autocast is disabled under a dispatch mode; it is enabled again for these
# layers, so that they allocate as much as without the mode.
_CAST_INSIDE = (torch.ops.aten._transformer_encoder_layer_fwd, torch.ops.aten._native_multi_head_attention)


class _LiveBytes(TorchDispatchMode):
    """A dispatch mode that sums the sizes of the storages created under it that still exist."""

    def __init__(self) -> None:
        super().__init__()
        self.live = 0
        self.peak = 0
        self._seen: set[int] = set()
        self._autocast = torch.is_autocast_enabled('cpu')

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = {
            leaf.untyped_storage()._cdata for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)
        }
        if self._autocast and func.overloadpacket in _CAST_INSIDE:
            with torch._C._SetExcludeDispatchKeyGuard(torch._C.DispatchKey.AutocastCPU, False):
                result = func(*args, **(kwargs or {}))
        else:
            result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and leaf.untyped_storage()._cdata not in before:
                self._track(leaf)
        return result

    def _track(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._seen:
            return
        self._seen.add(key)
        size = storage.nbytes()
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._release, key, size)

    def _release(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.live -= size


@contextmanager
def evaluation_mode(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Set a network to eval mode within the block, and restore modes and random states afterwards.

    Args:
        network: The network.
        device: Its device; the random state of the CPU and of this device is restored.
    """
    modes = [(module, module.training) for module in network.modules()]
    devices = [device] if device.type == 'cuda' and torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        for module, _ in modes:
            module.training = False
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode


def peak_bytes(call: Callable[[], Any]) -> int:
    """Run ``call`` without gradients and return the peak memory of its tensors in bytes, on any device."""
    with torch.no_grad(), _LiveBytes() as tracker:
        call()
    return tracker.peak
