"""Asynchronous copies from the host to an accelerator."""

from __future__ import annotations

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device, non_blocking: bool = True) -> Tensor:
    """Copy a tensor to a device; copies to CUDA are asynchronous, through pinned memory.

    Args:
        tensor: Any tensor; returned unchanged if it is on the device already.
        device: The target device.
        non_blocking: Whether a copy from the CPU to CUDA is asynchronous; if False, the call returns after the copy.

    Returns:
        The tensor on ``device``, with the shape and dtype of ``tensor``.
    """
    pins = non_blocking and device.type == 'cuda' and tensor.device.type == 'cpu' and torch.cuda.is_available()
    if pins and not tensor.is_pinned():
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=non_blocking)
