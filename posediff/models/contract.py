"""What a component tells the contract tests about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ContractCase:
    """A tiny instance of a component and the shapes it works on.

    Every registered denoiser, conditioner and head has a classmethod ``contract_cases() -> list[ContractCase]``. The
    contract tests build each case, randomise its weights and check the promises in the component's base class, so a
    new component is tested without writing a test.

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
