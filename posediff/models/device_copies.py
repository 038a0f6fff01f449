"""Copies from the host to an accelerator that nothing waits for."""

from __future__ import annotations

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device, non_blocking: bool = True) -> Tensor:
    """Copy a tensor to a device; to CUDA through pinned memory, from which the copy runs beside the host's work.

    Args:
        tensor: Any tensor; one that is on the device already is returned as it is.
        device: Where it is wanted.
        non_blocking: False waits until the copy is done.
    """
    pins = non_blocking and device.type == 'cuda' and tensor.device.type == 'cpu' and torch.cuda.is_available()
    if pins and not tensor.is_pinned():
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=non_blocking)
