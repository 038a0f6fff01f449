"""``make setup`` runs before anything is installed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from posediff.installation.checkout import requirements

# What Python 3.8 must read, so that it can say that it is too old.
READ_BY_OLD_PYTHON = ('tools/setup_env.py', 'posediff/__init__.py', 'posediff/installation')


def test_the_tool_runs_without_any_package(repository: Path, tmp_path: Path) -> None:
    """``-S``: no site-packages."""
    command = [sys.executable, '-I', '-S', repository / 'tools' / 'setup_env.py', '--help']
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '--core' in done.stdout


@pytest.mark.parametrize('name', READ_BY_OLD_PYTHON)
def test_an_old_python_reads_the_code(name: str, repository: Path) -> None:
    path = repository / name
    files = sorted(path.glob('*.py')) if path.is_dir() else [path]
    assert files
    for file in files:
        ast.parse(file.read_text(), feature_version=(3, 8))


def test_only_the_standard_library_is_imported(repository: Path) -> None:
    for file in (repository / 'posediff' / 'installation').glob('*.py'):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            for name in names:
                ours = name.startswith('posediff.installation')
                assert ours or name.partition('.')[0] in sys.stdlib_module_names, f'{file.name} imports {name}'


def test_requirements_are_those_of_setup_cfg() -> None:
    core, demo = requirements([]), requirements(['demo'])
    assert core[:3] == ['torch', 'numpy', 'onedl-mmengine']
    assert {'av', 'ai-edge-litert'} == set(demo) - set(core) - {'tomli'}
