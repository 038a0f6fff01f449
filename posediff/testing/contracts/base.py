"""Base class of the contract tests: selects the components and builds their instances."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
from torch import nn

from posediff.plugins import load_plugins
from posediff.registry import ComponentRegistry
from posediff.testing.cases import CASES_GROUP, Cases, ContractCase, as_cases, declared_cases, randomise


class Entry(NamedTuple):
    """A registered component with one of its cases, or with the reason why it cannot be tested.

    Attributes:
        registry: Registry of the component.
        name: Registered name.
        case: The case; an empty one if there is a ``problem``.
        problem: Reason why the component cannot be tested; None: it can be.
    """

    registry: ComponentRegistry
    name: str
    case: ContractCase
    problem: str | None = None

    def build(self, folder: Path) -> Any:
        """Build an instance; networks are in eval mode and have random weights.

        Args:
            folder: Empty folder for the files that the component reads.
        """
        if self.problem is not None:
            pytest.fail(self.problem, pytrace=False)
        try:
            component = self.registry.build({'type': self.name, **self.case.arguments(folder)})
        except ImportError as error:  # an optional package is not installed; the class itself was imported
            pytest.skip(str(error))
        return randomise(component).eval() if isinstance(component, nn.Module) else component


class Contract:
    """Base class of the contract tests of one registry; each test runs once for every case of every component.

    A test uses the fixture ``component`` (a new instance) or ``case``. A component without cases fails every test.

    Attributes:
        registry: Registry whose components are tested, set by each subclass.
        cases: Registered name → cases. Cases declared by installed plugins are added if ``package`` is None.
        package: Top-level package whose components are tested; None: all packages.
    """

    registry: ClassVar[ComponentRegistry]
    cases: ClassVar[Cases] = {}
    package: ClassVar[str | None] = None

    @classmethod
    def entries(cls) -> Iterator[Entry]:
        """Yield the components to test with their cases, sorted by name."""
        cls.registry.import_from_location()
        if cls.package is None:
            load_plugins()
            known: Cases = {**declared_cases(cls.registry.name), **cls.cases}
        else:
            import_module(cls.package)
            known = cls.cases
        for name, component in sorted(cls.registry.module_dict.items()):
            if cls.package not in (None, component.__module__.partition('.')[0]):
                continue
            cases = as_cases(known.get(name) or [])
            if not cases:
                yield Entry(cls.registry, name, ContractCase(), _missing_case(cls.registry, name, component))
            yield from (Entry(cls.registry, name, case) for case in cases)
        for name in known:
            if name not in cls.registry.module_dict:
                problem = f'there are contract cases of {name!r}, which is not registered in {cls.registry.name}'
                yield Entry(cls.registry, name, ContractCase(), problem)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrize the tests of the class with every case."""
        if 'entry' not in metafunc.fixturenames:
            return
        counted: dict[str, int] = {}
        parameters = []
        for entry in self.entries():
            index = counted[entry.name] = counted.get(entry.name, -1) + 1
            if 'condition' in metafunc.fixturenames and not (entry.problem or entry.case.condition_shape):
                continue  # e.g. a head that does not predict from a condition
            parameters.append(pytest.param(entry, id=entry.name if entry.problem else f'{entry.name}-{index}'))
        metafunc.parametrize('entry', parameters)

    @pytest.fixture
    def case(self, entry: Entry) -> ContractCase:
        """Return the arguments and shapes of ``component``."""
        return entry.case

    @pytest.fixture
    def component(self, entry: Entry, tmp_path_factory: pytest.TempPathFactory) -> Any:
        """Build a new instance for one test."""
        return entry.build(tmp_path_factory.mktemp('case'))


def _missing_case(registry: ComponentRegistry, name: str, component: Any) -> str:
    """Return the message for a component without contract cases, which says where to add one."""
    package = component.__module__.partition('.')[0]
    return (
        f'{name} ({component.__module__}) is registered in {registry.name} and has no contract case: add one, for '
        f'components of posediff in tests/contracts/test_{registry.name}.py, for those of a plugin in the mapping '
        f'that its entry point in the group {CASES_GROUP} names, e.g. {package} = "{package}.contract_cases:CASES"'
    )
