"""Optimizer wrappers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

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
    """

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        device = get_device()
        attention = _plain_attention() if device == 'cpu' else nullcontext()
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
