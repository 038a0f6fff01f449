"""Configuration of pytest: seeds of random numbers, and counting of skipped tests.

Fixtures are in the ``conftest.py`` files of the test folders. CONTRIBUTING.md describes the options defined here.
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


# Hypothesis takes one draw in twenty to forty from constants in the source of all imported modules of the checkout, so
# examples would depend on the selection and order of tests and on every edit. No setting switches this off.
HypothesisProvider._local_constants = Constants()

# Examples depend only on the source of the test; the speed of the machine has no effect.
settings.register_profile(
    'fixed', derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile('fixed')


@pytest.fixture(scope='session')
def reference_data() -> Path:
    """Return the folder of reference cases and real recordings, which is not part of the project; skip without it."""
    if not REFERENCE_DATA.is_dir():
        pytest.skip('the reference data is not here: name its folder in POSEDIFF_TEST_DATA')
    return REFERENCE_DATA


@pytest.fixture(scope='session')
def fmpose3d_cases(reference_data: Path) -> Path:
    """Return the folder of recorded outputs of the official FMPose3D; skip without it."""
    folder = reference_data / 'fmpose3d_cases'
    if not folder.is_dir():
        pytest.skip(f'the recorded cases of FMPose3D are not at {folder}')
    return folder


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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """With ``-n auto`` tests that need a GPU run in one process: every process would take its own memory there."""
    expression = config.option.markexpr
    return 0 if 'gpu' in expression.split() and 'not gpu' not in expression else None


def seed_generators(name: str) -> None:
    """Seed the global generators of Python, NumPy and PyTorch with a name."""
    seed = zlib.crc32(name.encode())
    random.seed(seed)
    np.random.seed(seed)
    if 'torch' in sys.modules:
        sys.modules['torch'].manual_seed(seed)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Iterator[None]:
    """Seed each fixture, so that its random numbers do not depend on the test that requests it first."""
    owner = request.node.nodeid if fixturedef.scope == 'function' else fixturedef.baseid
    seed_generators(f'{owner} {fixturedef.argname} {getattr(request, "param_index", 0)}')
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Seed each test, so that its random numbers do not depend on the tests before it."""
    seed_generators(item.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``-m slow``, run property tests on many examples without fixed seed."""
    expression = config.option.markexpr
    if 'slow' not in expression.split() or 'not slow' in expression:
        return
    for item in items:
        if getattr(getattr(item, 'obj', None), 'is_hypothesis_test', False):
            item.add_marker(pytest.mark.slow)
            draw_many(getattr(item, 'function'), config.option.examples)  # noqa: B009


def draw_many(test: Any, factor: int) -> None:
    """Multiply the number of a test's examples and draw them at random; parametrized cases share the settings."""
    fixed = test._hypothesis_internal_use_settings
    if fixed.derandomize:
        test._hypothesis_internal_use_settings = settings(
            fixed, max_examples=factor * fixed.max_examples, derandomize=False, print_blob=True
        )


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    return CountingModule.from_parent(parent, path=module_path)


class CountingModule(pytest.Module):
    """A test file; if it is skipped as a whole, each of its test functions is reported as skipped."""

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
    """A test in a file that is skipped as a whole."""

    def __init__(self, *, reason: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.reason = reason

    def runtest(self) -> None:
        pytest.skip(self.reason)


def _skipped(config: pytest.Config) -> Counter[str]:
    """Return the number of skipped tests by reason."""
    reporter = config.pluginmanager.get_plugin('terminalreporter')
    reports = reporter.stats.get('skipped', []) if reporter else []
    return Counter(str(report.longrepr[-1]).removeprefix('Skipped: ') for report in reports)


def _most_skipped(config: pytest.Config) -> int | None:
    """Return the allowed number of skipped tests; None for any number."""
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
