"""The one collector of the contract tests: every component of a registry, plugins included, with all of its cases.

A test in ``test_<registry>.py`` that uses ``component`` or ``case`` runs once for every case of every class in that
registry. A class that brings no case fails there with a sentence that says what to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from torch import nn

from posediff.models.contract import ContractCase, randomise
from posediff.plugins import load_plugins
from posediff.registry import REGISTRIES, ComponentRegistry


class Entry(NamedTuple):
    """A registered class with one of its cases, or with what is wrong with them."""

    registry: ComponentRegistry
    name: str
    case: ContractCase
    problem: str | None = None

    def build(self) -> Any:
        """A new instance; networks in eval mode, with weights that all matter."""
        if self.problem is not None:
            pytest.fail(self.problem, pytrace=False)
        try:
            component = self.registry.build({'type': self.name, **self.case.kwargs})
        except ImportError as error:  # of an optional extra; the class itself was imported
            pytest.skip(str(error))
        return randomise(component).eval() if isinstance(component, nn.Module) else component


def entries(registry: ComponentRegistry) -> Iterator[Any]:
    """Parameters for every case of every class in a registry."""
    load_plugins()
    registry.import_from_location()
    for name, cls in sorted(registry.module_dict.items()):
        give_cases = getattr(cls, 'contract_cases', list)
        cases = give_cases() or []
        if not cases:
            yield pytest.param(Entry(registry, name, ContractCase(), what_to_write(registry, name, cls)), id=name)
        for index, case in enumerate(cases):
            case = case if isinstance(case, ContractCase) else ContractCase(case)
            yield pytest.param(Entry(registry, name, case), id=f'{name}-{index}')


def what_to_write(registry: ComponentRegistry, name: str, cls: Any) -> str:
    return (
        f'{name} is registered in {registry.name} and gives the contract tests nothing to build: write a classmethod '
        f'contract_cases() in {cls.__module__} that returns a list of tiny instances, as posediff.models.contract says '
        f'and the other {registry.name} do.'
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if 'entry' in metafunc.fixturenames:
        registry = REGISTRIES[metafunc.definition.path.stem.removeprefix('test_')]
        parameters = list(entries(registry))
        if 'condition' in metafunc.fixturenames:  # not every head predicts from one
            parameters = [
                given for given in parameters if given.values[0].problem or given.values[0].case.condition_shape
            ]
        metafunc.parametrize('entry', parameters)


@pytest.fixture
def case(entry: Entry) -> ContractCase:
    """Arguments and shapes of :func:`component`."""
    return entry.case


@pytest.fixture
def component(entry: Entry) -> Any:
    """The case's instance, for this test alone."""
    return entry.build()


@pytest.fixture
def collect() -> Callable[[ComponentRegistry], list[Any]]:
    """:func:`entries`, for the test of this collector."""
    return lambda registry: [parameter.values[0] for parameter in entries(registry)]
