"""``posediff setup openmmlab`` says what it would do in the environment that it runs in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from posediff.cli.setup import closure, main


@pytest.fixture
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command puts its logs."""
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures('temporary_files')
def test_a_dry_run_prints_the_plan_and_installs_nothing(
    capsys: pytest.CaptureFixture[str], temporary_files: Path, repository: Path
) -> None:
    before = {one.metadata['Name']: one.version for one in metadata.distributions()}
    assert main(['openmmlab', '--dry-run'], 'posediff setup') == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f'to install into {sys.prefix}, as {repository / "constraints.txt"} says:\n')
    for step in ('build-tools', 'torch', 'video', 'xtcocotools', 'mmcv', 'openmmlab'):
        assert f'. {step} ' in printed
    assert {one.metadata['Name']: one.version for one in metadata.distributions()} == before
    assert list(temporary_files.iterdir()) == []


def test_it_runs_where_torch_is_broken(tmp_path: Path, repository: Path) -> None:
    (tmp_path / 'torch.py').write_text("raise OSError('libtorch_cpu.so: no such file')\n")
    done = subprocess.run(
        [sys.executable, '-m', 'posediff', 'setup', 'openmmlab', '--dry-run'],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join([str(tmp_path), str(repository)])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert 'MMCV with its compiled ops: ' in done.stdout


def test_without_an_installed_posediff_it_stops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip would fetch a package of that name from the index."""
    monkeypatch.setattr('posediff.cli.setup.PROJECT', 'no-such-distribution-9')
    assert main(['openmmlab']) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f'error: posediff is not installed in {sys.prefix}')
    assert told.out == ''


def test_the_closure_follows_extras_and_requirements(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exit_code: Callable[..., int]
) -> None:
    for name, lines in {
        'first': ['second[Fast]>=1', 'third; extra == "video"', "fourth; extra == 'test'"],
        'second': ['fifth; extra == "fast"', 'sixth; extra == "slow"', 'seventh; sys_platform == "win32"', 'First'],
        'third': ['not_installed ; python_version >= "3.8"'],
    }.items():
        info = tmp_path / f'{name}-1.0.dist-info'
        info.mkdir()
        requires = ''.join(f'Requires-Dist: {line}\n' for line in lines)
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert set(closure('first', ['video'])) == {'first', 'second', 'third', 'fifth', 'not-installed'}
    assert set(closure('first')) == {'first', 'second', 'fifth'}
