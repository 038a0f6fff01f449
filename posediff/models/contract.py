"""What a component tells the contract tests about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import nn

Module = TypeVar('Module', bound=nn.Module)


@dataclass(frozen=True)
class ContractCase:
    """A tiny instance of a component and the shapes it works on.

    Every registered component of a stage has a classmethod ``contract_cases()``. ``tests/contracts`` builds each case
    that it returns, randomises its weights and checks the promises in the component's base class, so a new component
    is tested without writing a test. Denoisers, conditioners and heads return a list of this class; noise schedulers,
    samplers and aggregators take any number of rows and frames, and return a list of constructor arguments alone,
    e.g. ``[{}, {'eta': 0.5}]``.

    Attributes:
        kwargs: Constructor arguments of a tiny instance (a second to build and run on one core).
        state_shape: Shape of x_t without its leading axis N, e.g. ``(T, K, 3)`` or ``(K, H, W)`` (denoisers), or of a
            pose without B (heads).
        condition_shape: Shape of the condition without its leading axis B (denoisers, and heads that predict from it).
        input_shape: Shape of the input without B (conditioners).
    """

    kwargs: dict[str, Any] = field(default_factory=dict)
    state_shape: tuple[int, ...] = ()
    condition_shape: tuple[int, ...] = ()
    input_shape: tuple[int, ...] = ()


def randomise(module: Module, seed: int = 0) -> Module:
    """Draw every weight and statistic in place, so that what starts at zero or one counts in a test too.

    Args:
        module: Any network; its floating-point state is overwritten.
        seed: The same seed draws the same weights.

    Returns:
        The module itself.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith('running_var'):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            elif tensor.is_floating_point():
                scale = 0.3 if tensor.dim() < 2 else tensor.shape[-1] ** -0.5
                tensor.copy_(scale * torch.randn(tensor.shape, generator=generator))
    return module
