"""Steps that go through leave stamps; those that fail say why."""

from __future__ import annotations

import dataclasses
import platform
import sys
from pathlib import Path

import pytest

from posediff.installation.failures import StepError
from posediff.installation.pip_steps import PipSteps
from posediff.installation.steps import CORE, FULL, Step, openmmlab_steps
from posediff.installation.virtual_env import VirtualEnvironment


def test_a_step_leaves_a_stamp_until_its_definition_or_the_constraints_change(fresh_venv: VirtualEnvironment) -> None:
    step = Step('probe', 'pip, which is there', ('--no-index', 'pip'), 'import pip')
    assert not fresh_venv.is_done(step)
    fresh_venv.run(step)
    assert fresh_venv.is_done(step)
    assert not fresh_venv.is_done(dataclasses.replace(step, pip=('--no-index', 'pip', 'wheel')))
    fresh_venv.constraints.write_text('wheel==0.48.0\n')
    assert not fresh_venv.is_done(step)
    fresh_venv.constraints.write_text('')


def test_a_failing_step_says_which_why_and_what_to_do(fresh_venv: VirtualEnvironment) -> None:
    step = Step('missing', 'a package no index has', ('--no-index', 'no-such-package-9'), '')
    with pytest.raises(StepError) as caught:
        fresh_venv.run(step)
    message = str(caught.value)
    assert message.startswith("step 'missing' failed: ")
    assert 'No matching distribution found for no-such-package-9' in message
    assert 'what to do: the index has no such version for Python' in message
    assert str(fresh_venv.records / 'missing.log') in message
    assert not fresh_venv.is_done(step)


def test_what_installs_and_does_not_import_has_not_gone_through(fresh_venv: VirtualEnvironment) -> None:
    step = Step('hollow', 'pip again', ('--no-index', '--no-deps', '--help'), 'import no_such_module_9')
    with pytest.raises(StepError, match="No module named 'no_such_module_9'"):
        fresh_venv.run(step)
    assert not fresh_venv.is_done(step)


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / 'thesis.tex').write_text('years of work')
    with pytest.raises(StepError, match='not a virtual environment and not empty'):
        VirtualEnvironment(tmp_path, tmp_path, tmp_path / 'constraints.txt').create()
    assert (tmp_path / 'thesis.tex').read_text() == 'years of work'


def test_packages_that_are_installed_have_their_version(fresh_venv: VirtualEnvironment) -> None:
    assert 'pip' in fresh_venv.installed()
    assert 'torch' not in fresh_venv.installed()


def test_an_environment_without_pip_says_how_to_get_it(tmp_path: Path) -> None:
    python = tmp_path / 'python'
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')  # -S: no site-packages, so no pip
    python.chmod(0o755)
    with pytest.raises(StepError, match='what to do: this environment has no pip: .* -m ensurepip'):
        PipSteps(python, tmp_path, tmp_path, tmp_path, 'posediff setup openmmlab').installed()


@pytest.mark.parametrize(
    ('log', 'words'),
    [
        ('Building wheel for onedl-mmcv (pyproject.toml): started', 'compiled in'),
        ('  Using cached onedl_mmcv-2.3.6-cp311-cp311-linux_x86_64.whl', "taken from pip's cache in"),
        ('Requirement already satisfied: onedl-mmcv==2.3.6', 'done in'),
    ],
)
def test_a_step_says_whether_it_compiled(log: str, words: str, tmp_path: Path) -> None:
    steps = PipSteps(Path(sys.executable), tmp_path, tmp_path, tmp_path, 'make setup')
    mmcv = next(step for step in FULL if step.name == 'mmcv')
    steps.log_of(mmcv).write_text(f'$ pip install\n{log}\n')
    assert steps.how_done(mmcv) == words


def test_a_wheel_in_the_cache_counts_for_its_version_and_python_only(
    fresh_venv: VirtualEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip lists the wheels below ``wheels`` of its cache, whatever is in them."""
    folder = tmp_path / 'wheels' / '0a' / 'b4'
    folder.mkdir(parents=True)
    tag, machine = f'cp{sys.version_info[0]}{sys.version_info[1]}', platform.machine()
    wheel = folder / f'onedl_mmcv-2.3.6-{tag}-{tag}-linux_{machine}.whl'
    monkeypatch.delenv('PIP_NO_CACHE_DIR', raising=False)
    monkeypatch.setenv('PIP_CACHE_DIR', str(tmp_path))
    assert fresh_venv.cached_wheel('onedl-mmcv', '2.3.6') is None
    for other in (f'onedl_mmcv-2.3.6-cp27-cp27-linux_{machine}.whl', f'onedl_mmcv-2.3.6-{tag}-{tag}-linux_z80.whl'):
        (folder / other).write_bytes(b'')
        assert fresh_venv.cached_wheel('onedl-mmcv', '2.3.6') is None
    wheel.write_bytes(b'')
    assert fresh_venv.cached_wheel('onedl-mmcv', '2.3.6') == wheel
    assert fresh_venv.cached_wheel('onedl-mmcv', '2.3.7') is None
    monkeypatch.setenv('PIP_NO_CACHE_DIR', '1')
    assert fresh_venv.cached_wheel('onedl-mmcv', '2.3.6') is None


def test_core_steps_lead_so_that_both_levels_share_an_environment() -> None:
    assert FULL[: len(CORE)] == CORE
    heavy = {'torchvision', 'onedl-mmcv', 'mmpose', 'timm'}
    assert not heavy & {name for step in CORE for name in step.packages()}


def test_make_setup_and_posediff_setup_compile_in_the_same_steps() -> None:
    assert openmmlab_steps('0.1.0')[-3:] == FULL[-3:]
    assert [step.compiled for step in FULL[-3:]] == ['xtcocotools', 'onedl-mmcv', '']


def test_posediff_itself_is_kept_in_its_version() -> None:
    named = [step.extras() for step in openmmlab_steps('0.1.0')]
    assert named == [None, None, ['video'], None, None, None]
    assert 'posediff[video]==0.1.0' in openmmlab_steps('0.1.0')[2].pip
    assert [step.extras() for step in CORE] == [None, None, []]
