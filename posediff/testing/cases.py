"""Tiny instances of components for the contract tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import torch
from torch import nn

from posediff.plugins import PluginError
from posediff.registry import REGISTRIES, describe

CASES_GROUP = 'posediff.contract_cases'

Module = TypeVar('Module', bound=nn.Module)


@dataclass(frozen=True)
class ContractCase:
    """A tiny instance of a component and the shapes of its inputs.

    Attributes:
        kwargs: Constructor arguments of the instance, or a function that takes an empty folder and returns them (for
            components that read a file). It should take at most a second to build and run on one core.
        state_shape: Shape of x_t without its leading axis N, e.g. ``(T, K, 3)`` or ``(K, H, W)`` (denoisers), or of a
            pose without B (heads).
        condition_shape: Shape of the condition without its leading axis B (denoisers, and heads that predict from it).
        input_shape: Shape of the input without B (backbones and conditioners).
        continuous_time: Whether a denoiser is made for real times in [0, 1] instead of indices of a table.
        uses_condition: Whether a denoiser reads the condition; False if the start state holds all that it is given.
    """

    kwargs: Mapping[str, Any] | Callable[[Path], Mapping[str, Any]] = field(default_factory=dict)
    state_shape: tuple[int, ...] = ()
    condition_shape: tuple[int, ...] = ()
    input_shape: tuple[int, ...] = ()
    continuous_time: bool = False
    uses_condition: bool = True

    def arguments(self, folder: Path) -> dict[str, Any]:
        """Return the constructor arguments; files that they name are written into ``folder``."""
        return dict(self.kwargs(folder) if callable(self.kwargs) else self.kwargs)


Cases: TypeAlias = Mapping[str, Sequence[ContractCase | Mapping[str, Any]]]
"""Registered name of a component → its cases; a plain mapping is a case with only constructor arguments."""


def declared_cases(kind: str) -> dict[str, list[ContractCase]]:
    """Collect the contract cases that installed plugins declare.

    A plugin's entry point in the group ``posediff.contract_cases`` names a mapping from registries to :data:`Cases`,
    e.g. ``mixer = "posediff_mixer.contract_cases:CASES"`` with
    ``CASES = {'denoisers': {'JointTimeMixer': [ContractCase(...)]}}``.

    Args:
        kind: Name of a registry, such as ``'denoisers'``.

    Returns:
        Registered name of a component → its cases.

    Raises:
        PluginError: An entry point does not load, is not such a mapping, or names a registry that does not exist.
    """
    cases: dict[str, list[ContractCase]] = {}
    for point in sorted(metadata.entry_points(group=CASES_GROUP), key=lambda point: (point.name, point.value)):
        for name, given in _load(point).get(kind, {}).items():
            cases[name] = as_cases(given)
    return cases


def as_cases(given: Sequence[ContractCase | Mapping[str, Any]]) -> list[ContractCase]:
    """Wrap constructor arguments as :class:`ContractCase`; cases stay as they are."""
    return [case if isinstance(case, ContractCase) else ContractCase(case) for case in given]


def _load(point: metadata.EntryPoint) -> Mapping[str, Cases]:
    origin = f'contract cases {point.name!r} ({point.value}, group {CASES_GROUP})'
    try:
        found = point.load()
    except Exception as error:  # importing a module may raise anything
        raise PluginError(f'{origin} do not load: {describe(error)}') from error
    if not isinstance(found, Mapping) or not all(isinstance(cases, Mapping) for cases in found.values()):
        raise PluginError(f'{origin} must be {{registry: {{component: [case, …]}}}}, got {found!r}')
    unknown = [kind for kind in found if kind not in REGISTRIES]
    if unknown:
        raise PluginError(f'{origin} name the registry {unknown[0]!r}; there are: {", ".join(REGISTRIES)}')
    return found


def randomise(module: Module, seed: int = 0) -> Module:
    """Draw every weight and statistic in place, so that tests detect unused layers whose initial weights are 0 or 1.

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
