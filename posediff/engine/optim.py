"""Optimizer wrappers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from torch.nn.attention import SDPBackend, sdpa_kernel

from posediff.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Optimizer wrapper for mixed precision in bfloat16, on CUDA and on the CPU.

    bfloat16 has the range of float32, so the loss is not scaled. MMEngine's ``AmpOptimWrapper`` always scales and needs
    CUDA; use it for float16.

    Args:
        fused_attention: Use PyTorch's fused attention on the CPU too. It is faster for long sequences (a training step
            of DiffPose with 960 tokens takes 0.75 of the time), and slower for short ones.
        **kwargs: See :class:`mmengine.optim.OptimWrapper`.
    """

    def __init__(self, *args: Any, fused_attention: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fused_attention = fused_attention

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        device = get_device()
        attention = _plain_attention() if device == 'cpu' and not self.fused_attention else nullcontext()
        with super().optim_context(model), torch.autocast(device, torch.bfloat16), attention:
            yield


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Compute attention as matrix products and a softmax.

    PyTorch's fused attention is several times slower in the bfloat16 backward pass on a CPU, where it takes two fifths
    of a training step of a small ViT.
    """
    kept = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(kept)
