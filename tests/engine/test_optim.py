"""Optimizer wrapper for bfloat16."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from posediff.engine.optim import BFloat16OptimWrapper


def attention_gradient(inputs: torch.Tensor) -> torch.Tensor:
    inputs = inputs.detach().requires_grad_()
    scaled_dot_product_attention(inputs, 2 * inputs, inputs**2).float().square().sum().backward()
    assert inputs.grad is not None
    return inputs.grad.float()


@pytest.mark.skipif(torch.cuda.is_available(), reason='chooses attention on the CPU only')
@pytest.mark.parametrize('fused', [False, True])
def test_bfloat16_attention_on_a_cpu_keeps_its_gradient_and_the_settings(fused):
    model = nn.Linear(4, 4)
    wrapper = BFloat16OptimWrapper(torch.optim.SGD(model.parameters(), 0.1), fused_attention=fused)
    inputs = torch.randn(2, 3, 20, 16, generator=torch.Generator().manual_seed(0))
    exact = attention_gradient(inputs)
    before = torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    with wrapper.optim_context(model):
        assert torch.backends.cuda.flash_sdp_enabled() == fused
        assert model(torch.ones(1, 4)).dtype == torch.bfloat16
        got = attention_gradient(inputs.bfloat16())
    assert (got - exact).norm() < 0.02 * exact.norm()
    assert before == (
        torch.backends.cuda.flash_sdp_enabled(),
        torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed(),
    )
