"""Every registry of a stage has contract tests, and every component in it is tested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posediff.plugins import PluginError, load_plugins
from posediff.registry import REGISTRIES, ComponentRegistry
from posediff.testing import CASES_GROUP, ContractCase, declared_cases
from posediff.testing.contracts.base import Contract

# Registries of stages are root registries; the others are children of MMEngine's and are tested elsewhere.
STAGES = [name for name, registry in REGISTRIES.items() if registry.parent is None]


@pytest.mark.parametrize('name', STAGES)
def test_a_stage_with_components_has_a_contract(name: str) -> None:
    load_plugins()
    registry = REGISTRIES[name]
    registry.import_from_location()
    contract = Path(__file__).with_name(f'test_{name}.py')
    names = ', '.join(registry.module_dict)
    assert not names or contract.is_file(), f'{names} in {name}: write down what they promise in {contract.name}'


class Sized:
    def __init__(self, size: int = 1) -> None:
        self.size = size


@pytest.fixture
def registry() -> ComponentRegistry:
    registry = ComponentRegistry('samplers', scope='posediff')
    registry.register_module(module=Sized)
    return registry


@pytest.fixture
def contract(registry: ComponentRegistry) -> type[Contract]:
    class SizedContract(Contract):
        pass

    SizedContract.registry = registry
    return SizedContract


def test_arguments_cases_and_functions_are_taken(contract: type[Contract], tmp_path: Path) -> None:
    given = ContractCase({'size': 3}, state_shape=(2, 2))

    def from_folder(folder: Path) -> dict[str, Any]:
        (folder / 'four').write_text('4')
        return {'size': int((folder / 'four').read_text())}

    contract.cases = {'Sized': [{}, given, ContractCase(from_folder)]}
    first, second, third = contract.entries()
    assert first.case == ContractCase()
    assert second.case is given
    assert [entry.build(tmp_path).size for entry in (first, second, third)] == [1, 3, 4]


@pytest.mark.parametrize('cases', [{}, {'Sized': []}, {'Sized': None}])
def test_a_component_without_cases_fails_and_is_told_what_to_write(
    contract: type[Contract], cases: Any, tmp_path: Path
) -> None:
    contract.cases = cases
    (entry,) = contract.entries()
    with pytest.raises(pytest.fail.Exception, match=r'Sized .* is registered in samplers and has no contract case'):
        entry.build(tmp_path)


def test_cases_of_what_is_not_registered_fail(contract: type[Contract], tmp_path: Path) -> None:
    contract.cases = {'Sized': [{}], 'Sizedd': [{}]}
    entry = list(contract.entries())[-1]
    with pytest.raises(pytest.fail.Exception, match="cases of 'Sizedd', which is not registered in samplers"):
        entry.build(tmp_path)


def test_a_package_is_tested_alone(contract: type[Contract], registry: ComponentRegistry) -> None:
    registry.register_module(name='Foreign', module=type('Foreign', (), {'__module__': 'somewhere.else'}))
    contract.cases = {'Sized': [{}]}
    assert {entry.name: entry.problem is None for entry in contract.entries()} == {'Foreign': False, 'Sized': True}
    contract.package = 'json'  # any importable module that registers nothing
    assert list(contract.entries()) == []


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return a function that creates an installed package whose metadata names contract cases."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(module: str, source: str) -> None:
        (tmp_path / f'{module}.py').write_text(source)
        info = tmp_path / f'{module}-1.0.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n')
        (info / 'entry_points.txt').write_text(f'[{CASES_GROUP}]\n{module} = {module}:CASES\n')

    return write


def test_cases_of_an_installed_plugin_count(declare: Callable[[str, str], None], contract: type[Contract]) -> None:
    declare('fake_cases', "CASES = {'samplers': {'Sized': [{'size': 2}]}, 'denoisers': {'Other': [{}]}}")
    assert declared_cases('samplers') == {'Sized': [ContractCase({'size': 2})]}
    (entry,) = contract.entries()
    assert (entry.problem, entry.case) == (None, ContractCase({'size': 2}))


@pytest.mark.parametrize(
    ('module', 'source', 'said'),
    [
        ('fake_broken', 'import no_such_module', 'fake_broken:CASES.* do not load: ModuleNotFoundError'),
        ('fake_list', 'CASES = [1]', r'must be \{registry: \{component: \[case, …\]\}\}, got \[1\]'),
        ('fake_kind', "CASES = {'denoizers': {}}", "name the registry 'denoizers'; there are: backbones"),
    ],
)
def test_wrong_declarations_are_named(declare: Callable[[str, str], None], module: str, source: str, said: str) -> None:
    declare(module, source)
    with pytest.raises(PluginError, match=said):
        declared_cases('samplers')
