"""How the tests are run: what they draw at random, and what is said of tests that are skipped.

Folders have their fixtures in ``conftest.py`` files of their own. CONTRIBUTING.md says how these options are used.
"""

from __future__ import annotations

import ast
import os
import random
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants

REPOSITORY = Path(__file__).resolve().parent
REFERENCE_DATA = Path(os.environ.get('POSEDIFF_TEST_DATA', REPOSITORY.parent / 'shared' / 'data'))


# Hypothesis takes one draw in twenty to forty from the numbers and strings in the source of all modules of the checkout
# that are imported by then: examples would change with the selection of tests, their order and every edit of any
# module. No setting turns that off.
HypothesisProvider._local_constants = Constants()

# Examples follow from a test's own source alone; how fast a machine is decides nothing.
settings.register_profile(
    'fixed', derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile('fixed')


@pytest.fixture(scope='session')
def reference_data() -> Path:
    """Folder of reference cases and real recordings; not part of the project, so tests that need it skip without it."""
    if not REFERENCE_DATA.is_dir():
        pytest.skip('the reference data is not here: name its folder in POSEDIFF_TEST_DATA')
    return REFERENCE_DATA


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup('posediff')
    group.addoption(
        '--examples', type=int, default=20, metavar='N',
        help='with -m slow: property tests run on N times their number of examples, drawn anew in every run [20]',
    )  # fmt: skip
    group.addoption(
        '--max-skipped', type=int, nargs=2, metavar=('WITH', 'WITHOUT'),
        help='fail if more tests are skipped than WITH, or WITHOUT if there is no reference data',
    )  # fmt: skip


def seed_generators(name: str) -> None:
    """Start the global generators of Python, NumPy and PyTorch from a name."""
    seed = zlib.crc32(name.encode())
    random.seed(seed)
    np.random.seed(seed)
    if 'torch' in sys.modules:
        sys.modules['torch'].manual_seed(seed)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Iterator[None]:
    """A fixture draws the same numbers whichever test asks for it first."""
    owner = request.node.nodeid if fixturedef.scope == 'function' else fixturedef.baseid
    seed_generators(f'{owner} {fixturedef.argname} {getattr(request, "param_index", 0)}')
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """A test draws the same numbers whatever ran before it."""
    seed_generators(item.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under ``-m slow`` property tests are slow ones, on many examples that no seed fixes."""
    expression = config.option.markexpr
    if 'slow' not in expression.split() or 'not slow' in expression:
        return
    for item in items:
        if getattr(getattr(item, 'obj', None), 'is_hypothesis_test', False):
            item.add_marker(pytest.mark.slow)
            draw_many(getattr(item, 'function'), config.option.examples)  # noqa: B009


def draw_many(test: Any, factor: int) -> None:
    """Multiply the number of a test's examples and draw them at random; cases of one function share its settings."""
    fixed = test._hypothesis_internal_use_settings
    if fixed.derandomize:
        test._hypothesis_internal_use_settings = settings(
            fixed, max_examples=factor * fixed.max_examples, derandomize=False, print_blob=True
        )


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    return CountingModule.from_parent(parent, path=module_path)


class CountingModule(pytest.Module):
    """A file of tests; where it is skipped as a whole, each of its test functions is reported as skipped."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        try:
            yield from super().collect()
        except pytest.skip.Exception as skipped:
            for name, function in _test_functions(ast.parse(self.path.read_text())):
                test = SkippedTest.from_parent(self, name=name, reason=str(skipped))
                for decorator in function.decorator_list:
                    for mark in re.findall(r'pytest\.mark\.(slow|gpu)\b', ast.unparse(decorator)):
                        test.add_marker(mark)
                yield test


def _test_functions(node: ast.Module | ast.ClassDef, prefix: str = '') -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in node.body:
        if isinstance(child, ast.ClassDef) and child.name.startswith('Test'):
            yield from _test_functions(child, f'{child.name}::')
        elif isinstance(child, ast.FunctionDef) and child.name.startswith('test'):
            yield prefix + child.name, child


class SkippedTest(pytest.Item):
    """A test of a file that cannot be imported here."""

    def __init__(self, *, reason: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.reason = reason

    def runtest(self) -> None:
        pytest.skip(self.reason)


def _skipped(config: pytest.Config) -> Counter[str]:
    """How many tests were skipped, by reason."""
    reporter = config.pluginmanager.get_plugin('terminalreporter')
    reports = reporter.stats.get('skipped', []) if reporter else []
    return Counter(str(report.longrepr[-1]).removeprefix('Skipped: ') for report in reports)


def _most_skipped(config: pytest.Config) -> int | None:
    """How many may be; None is any number."""
    numbers = config.option.max_skipped
    return numbers and numbers[0 if REFERENCE_DATA.is_dir() else 1]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    most = _most_skipped(session.config)
    if most is not None and _skipped(session.config).total() > most and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    skipped, most = _skipped(config), _most_skipped(config)
    if skipped:
        terminalreporter.section(f'{skipped.total()} tests skipped')
        for reason, number in skipped.most_common():
            terminalreporter.line(f'{number:4d}  {reason}')
    if most is not None and skipped.total() > most:
        data = 'with' if REFERENCE_DATA.is_dir() else 'without'
        terminalreporter.line(f'FAILED: more than {most} tests skipped, {data} reference data', red=True)
