"""The command ``posediff``: selection of commands, exit codes and messages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import posediff
from posediff.cli.main import main
from posediff.registry import REGISTRIES


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(['--version'])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f'posediff {posediff.__version__}\n'


def test_list_prints_names_modules_and_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['list', 'denoisers']) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ['CTGCNDenoiser', 'posediff.models.denoisers.graph', 'posediff'] in lines
    assert not any('DDIMSampler' in line for line in lines)


def test_list_without_a_kind_prints_every_registry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['list']) == 0
    told = capsys.readouterr()
    headings = [line.split(' (')[0] for line in told.out.splitlines() if line and not line.startswith(' ')]
    assert headings[: len(REGISTRIES)] == list(REGISTRIES)
    assert 'mmpose.HRNet' in told.out
    assert 'Traceback' not in told.err


def test_list_of_an_unknown_kind_names_the_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['list', 'denoizers']) == 2
    told = capsys.readouterr()
    assert told.out == ''
    assert told.err.startswith("posediff list: no registry 'denoizers'; there are: ")
    assert 'denoisers' in told.err
    assert told.err.count('\n') == 1


@pytest.mark.parametrize('arguments', [[], ['cure'], ['doctor', '--yaml']])
def test_arguments_that_make_no_sense_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert 'usage: posediff' in capsys.readouterr().err


def run(arguments: list[str], path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-m', 'posediff', *arguments]
    return subprocess.run(command, env={'PATH': '', 'PYTHONPATH': path}, capture_output=True, text=True, timeout=300)


def test_a_part_that_does_not_import_is_one_line(tmp_path: Path, repository: Path) -> None:
    """With a scipy that does not import, modules that need it are named and the other components are listed.

    Installed plugins that need scipy are named in the same way; the exit code is 1 then.
    """
    (tmp_path / 'scipy.py').write_text("raise ImportError('libopenblas.so:\\n no such file')\n")
    done = run(['list'], f'{tmp_path}:{repository}')
    lines = done.stderr.splitlines()
    assert 'Traceback' not in done.stderr
    assert 'left out: posediff.export does not import (ImportError: libopenblas.so: no such file)' in lines
    assert all(re.match(r'left out: (posediff\.|plugin )', line) for line in lines), done.stderr
    assert done.returncode == int(any(line.startswith('left out: plugin ') for line in lines)), done.stderr
    assert 'CTGCNDenoiser' in done.stdout


def test_list_where_torch_is_broken_sends_to_the_doctor(tmp_path: Path, repository: Path) -> None:
    (tmp_path / 'torch.py').write_text("raise OSError('libtorch_cpu.so: no such file')\n")
    done = run(['list', 'denoisers'], f'{tmp_path}:{repository}')
    assert done.returncode == 1
    assert done.stderr.count('\n') == 1
    assert 'libtorch_cpu.so' in done.stderr
    assert 'posediff doctor' in done.stderr


@pytest.mark.slow
def test_doctor_of_this_machine_in_both_forms(repository: Path) -> None:
    text = run(['doctor'], str(repository))
    told = json.loads(run(['doctor', '--json'], str(repository)).stdout)
    assert text.returncode == int(not told['healthy'])
    assert f'posediff {posediff.__version__}' in text.stdout
    for finding in told['findings']:
        assert finding['message'] in text.stdout
        assert finding['cure'] in text.stdout
