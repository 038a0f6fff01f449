"""Helpers for tests of networks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn


@pytest.fixture(scope='session')
def randomise() -> Callable[[nn.Module], nn.Module]:
    """Draw every weight and statistic, so that what starts at zero or one counts too."""

    def draw(module: nn.Module, seed: int = 0) -> nn.Module:
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, tensor in module.state_dict().items():
                if name.endswith('running_var'):
                    tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
                elif tensor.is_floating_point():
                    scale = 0.3 if tensor.dim() < 2 else tensor.shape[-1] ** -0.5
                    tensor.copy_(scale * torch.randn(tensor.shape, generator=generator))
        return module

    return draw
