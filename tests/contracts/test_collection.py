"""Every registry of a stage has its contract, and every class in it is checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posediff.models.contract import ContractCase
from posediff.plugins import load_plugins
from posediff.registry import REGISTRIES, ComponentRegistry

# The registries of the stages stand alone; the others are children of MMEngine's, whose tests are elsewhere.
STAGES = [name for name, registry in REGISTRIES.items() if registry.parent is None]

Collect = Callable[[ComponentRegistry], list[Any]]


@pytest.mark.parametrize('name', STAGES)
def test_a_stage_with_components_has_a_contract(name: str) -> None:
    load_plugins()
    registry = REGISTRIES[name]
    registry.import_from_location()
    contract = Path(__file__).with_name(f'test_{name}.py')
    names = ', '.join(registry.module_dict)
    assert not names or contract.is_file(), f'{names} in {name}: write down what they promise in {contract.name}'


@pytest.fixture
def registry() -> ComponentRegistry:
    return ComponentRegistry('samplers', scope='posediff')


def test_arguments_and_cases_are_both_taken(registry: ComponentRegistry, collect: Collect) -> None:
    given = ContractCase({'size': 3}, state_shape=(2, 2))

    @registry.register_module()
    class Sized:
        def __init__(self, size: int = 1) -> None:
            self.size = size

        @classmethod
        def contract_cases(cls) -> list[Any]:
            return [{}, given]

    first, second = collect(registry)
    assert first.case == ContractCase()
    assert second.case is given
    assert [entry.build().size for entry in (first, second)] == [1, 3]


@pytest.mark.parametrize('give', [None, lambda cls: [], lambda cls: None])
def test_a_class_without_cases_fails_and_is_told_what_to_write(
    registry: ComponentRegistry, collect: Collect, give: Any
) -> None:
    members = {} if give is None else {'contract_cases': classmethod(give)}
    registry.register_module(name='Silent', module=type('Silent', (), members))
    (entry,) = collect(registry)
    with pytest.raises(pytest.fail.Exception, match=r'Silent is registered in samplers .* classmethod contract_cases'):
        entry.build()
