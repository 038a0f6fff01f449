"""How the tests themselves are run: what the conftest.py of the checkout's root promises."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., 'subprocess.CompletedProcess[str]']

PROPERTY = """
import json
from hypothesis import given, settings, strategies as st

@given(st.floats(), st.integers(), st.text())
@settings(max_examples=30)
def test_a_property(number, whole, text):
    with open('drawn.jsonl', 'a') as file:
        file.write(json.dumps([repr(number), whole, text]) + '\\n')

def test_of_one_case():
    pass
"""

CONSTANTS = 'NUMBERS = [123456789.125, 987654321, 5551234, 7.0625, 31.75, 8881.5]\nNAMES = ["walker", "jumper"]\n'

DRAWS = """
import json, random
import numpy as np, pytest

@pytest.fixture(scope='module')
def shared():
    return random.random()

def draw(name, shared):
    with open('drawn.jsonl', 'a') as file:
        file.write(json.dumps([name, [shared, random.random(), np.random.rand()]]) + '\\n')

def test_one(shared):
    draw('one', shared)

def test_two(shared):
    draw('two', shared)
"""

SKIPPED = """
import pytest
pytest.importorskip('a_package_that_is_nowhere', reason='the package is nowhere')

def test_one(): ...

@pytest.mark.parametrize('value', [1, 2])
def test_two(value): ...

@pytest.mark.slow
def test_that_is_slow(): ...

class TestGroup:
    def test_three(self): ...
"""

ONE_BY_ONE = """
import pytest

def test_that_runs(): ...

def test_four(reference_data): ...

@pytest.mark.skip(reason='the package is nowhere')
def test_five(): ...
"""


@pytest.fixture
def run(repository: Path, tmp_path: Path) -> Run:
    """Run pytest in a folder that is set up as the checkout is."""
    shutil.copy(repository / 'conftest.py', tmp_path)
    shutil.copy(repository / 'setup.cfg', tmp_path)

    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {'POSEDIFF_TEST_DATA': str(tmp_path / 'nowhere')}
        return subprocess.run(
            [sys.executable, '-m', 'pytest', '-q', '--assert=plain', '-p', 'no:anyio', *arguments],
            cwd=tmp_path,
            env={**os.environ, **settings, **environment},
            capture_output=True,
            text=True,
        )

    return call


def read_drawn(folder: Path) -> list[object]:
    """Examples of the last run."""
    path = folder / 'drawn.jsonl'
    examples = [json.loads(line) for line in path.read_text().splitlines()]
    path.unlink()
    return examples


def test_examples_are_fixed_but_those_of_slow_runs(run: Run, tmp_path: Path) -> None:
    """Neither the hash seed nor what is imported changes them; with ``-m slow`` they are many and drawn anew."""
    (tmp_path / 'test_property.py').write_text(PROPERTY)
    assert run('test_property.py', PYTHONHASHSEED='1').returncode == 0
    alone = read_drawn(tmp_path)
    assert len(alone) == 30

    (tmp_path / 'constants.py').write_text(CONSTANTS * 20)
    (tmp_path / 'test_before.py').write_text('import constants\n\ndef test_nothing(): ...\n')
    found = run('test_before.py', 'test_property.py', PYTHONHASHSEED='2', PYTHONPATH=str(tmp_path))
    assert found.returncode == 0, found.stdout
    assert read_drawn(tmp_path) == alone

    found = run('test_property.py', '-m', 'slow', '--examples', '4')
    assert '1 passed, 1 deselected' in found.stdout
    many = read_drawn(tmp_path)
    assert len(many) == 120
    assert many[:30] != alone


def test_draws_do_not_depend_on_what_ran_before(run: Run, tmp_path: Path) -> None:
    (tmp_path / 'test_draws.py').write_text(DRAWS)
    drawn = []
    for order in (['test_one', 'test_two'], ['test_two', 'test_one']):
        assert run(*(f'test_draws.py::{test}' for test in order)).returncode == 0
        drawn.append(dict(read_drawn(tmp_path)))
    assert drawn[0] == drawn[1]
    shared, *own = drawn[0]['one']
    assert shared == drawn[0]['two'][0]
    assert own != drawn[0]['two'][1:]


@pytest.mark.parametrize(
    ('most', 'data', 'code'),
    [(('0', '5'), False, 0), (('3', '9'), True, 1)],
)
@pytest.mark.parametrize('processes', ['0', '2'])
def test_every_skipped_test_is_counted_by_its_reason(
    run: Run, tmp_path: Path, processes: str, most, data: bool, code: int
) -> None:
    """With reference data one test fewer is skipped; more than are allowed fail the run, on any number of processes."""
    (tmp_path / 'test_file.py').write_text(SKIPPED)
    (tmp_path / 'test_one_by_one.py').write_text(ONE_BY_ONE)
    environment = {'POSEDIFF_TEST_DATA': str(tmp_path)} if data else {}
    distributed = ['-n', processes, '--dist', 'loadfile', '--no-loadscope-reorder']
    found = run('test_file.py', 'test_one_by_one.py', *distributed, '--max-skipped', *most, **environment)
    assert found.returncode == code, found.stdout
    assert f'{4 if data else 5} tests skipped' in found.stdout
    assert re.search(r'^ +4  the package is nowhere$', found.stdout, re.MULTILINE)
    assert bool(re.search(r'^ +1  the reference data is not here', found.stdout, re.MULTILINE)) != data
    assert f'{"2 passed, 4" if data else "1 passed, 5"} skipped' in found.stdout
    if processes == '0':  # deselected tests are not reported by the processes
        assert '1 deselected' in found.stdout
    said = f'FAILED: more than {most[0 if data else 1]} tests skipped, {"with" if data else "without"} reference data'
    assert (said in found.stdout) == bool(code)
