"""What importing costs, what lifting does without, and how the set-up behaves."""

from __future__ import annotations

import configparser
import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
OPTIONAL = (
    'mmcv', 'mmpose', 'mmdet', 'mmpretrain', 'timm', 'torchvision', 'diffusers', 'xtcocotools', 'imgaug',
    'av', 'ezc3d', 'ai_edge_litert',
)  # fmt: skip
LIFTING = ('models', 'diffusion', 'aggregation', 'evaluation', 'datasets', 'geometry', 'skeletons', 'structures')

IMPORT_WITHOUT = """
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {blocked!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)

sys.meta_path.insert(0, Blocker())
import posediff
modules = [m.name for m in pkgutil.walk_packages(posediff.__path__, 'posediff.') if not m.name.endswith('__main__')]
only = {only!r}
# drawing a synthetic video is no part of lifting
lifting = [name for name in modules if name.split('.')[1] in only and '.synthetic' not in name]
modules = lifting if only else modules
failed = []
for name in modules:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed.append(f'{{name}}: {{type(error).__name__}}: {{error}}')
print(len(modules), 'modules')
sys.exit('\\n'.join(failed) or 0)
"""


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-c', code], cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False
    )


def imported_packages(code: str) -> set[str]:
    """Top-level packages that are in memory after running some code in a Python of its own."""
    done = run_python(f"{code}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_posediff_costs_no_more_than_torch_and_mmengine() -> None:
    cost = imported_packages('import posediff')
    assert 'posediff' in cost
    assert cost - {'posediff'} <= imported_packages('import torch, mmengine')
    assert not cost & {*OPTIONAL, 'cv2', 'matplotlib', 'scipy'}


def test_no_part_of_posediff_imports_an_optional_package_by_itself() -> None:
    cost = imported_packages('from posediff.plugins import import_components\nassert not import_components()')
    assert not cost & set(OPTIONAL)


@pytest.mark.parametrize(
    ('blocked', 'only'),
    [(OPTIONAL, ()), ((*OPTIONAL, 'cv2', 'matplotlib'), LIFTING)],
    ids=['everything without the video part', 'lifting without cv2 and matplotlib too'],
)
def test_modules_import_without(blocked: tuple[str, ...], only: tuple[str, ...]) -> None:
    done = run_python(IMPORT_WITHOUT.format(blocked=blocked, only=only))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 20


def test_every_folder_of_code_is_a_package() -> None:
    """setup.cfg finds packages by their __init__.py; a folder without one would be missing from a wheel."""
    folders = {path.parent for path in (REPOSITORY / 'posediff').rglob('*.py')}
    assert [str(folder) for folder in sorted(folders) if not (folder / '__init__.py').exists()] == []


@pytest.fixture(scope='module')
def setup_env(load_tool) -> ModuleType:
    """tools/setup_env.py as a module."""
    return load_tool('setup_env.py')


@pytest.fixture(scope='module')
def fresh_venv(setup_env: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> object:
    """An environment with nothing but pip."""
    environment = setup_env.Environment(tmp_path_factory.mktemp('venv') / 'env')
    environment.create()
    return environment


def test_all_that_is_installed_is_pinned_in_one_file(setup_env: ModuleType) -> None:
    pinned = set(re.findall(r'^([\w.-]+)==', (REPOSITORY / 'constraints.txt').read_text(), re.MULTILINE))
    setup = configparser.RawConfigParser()
    setup.read(REPOSITORY / 'setup.cfg')
    groups = [setup['options']['install_requires'], *setup['options.extras_require'].values()]
    wanted = {
        re.match(r'[\w.-]+', line)[0].replace('_', '-')
        for group in groups
        for line in group.splitlines()
        if line and not line.startswith('#')
    }
    wanted |= {
        word for step in setup_env.FULL for word in step.pip if re.fullmatch(r'[a-z][\w-]+', word) and word != '.'
    }
    assert wanted - pinned == set()
    assert 'opencv-python' not in pinned


def test_the_demo_extra_is_what_reads_videos_and_runs_mediapipe(setup_env: ModuleType) -> None:
    setup = configparser.RawConfigParser()
    setup.read(REPOSITORY / 'setup.cfg')
    extras = {name: set(lines.split('\n')) for name, lines in setup['options.extras_require'].items()}
    assert extras['demo'] == extras['pipeline'] | extras['mediapipe']
    assert setup_env.DEMO[-1].pip[-1] == '.[demo]'
    assert not {step.compiled for step in setup_env.DEMO} - {''}


def test_a_step_leaves_a_stamp_until_its_definition_or_the_constraints_change(
    setup_env: ModuleType, fresh_venv: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constraints = tmp_path / 'constraints.txt'
    constraints.write_text('')
    monkeypatch.setattr(setup_env, 'CONSTRAINTS', constraints)
    step = setup_env.Step('probe', 'pip, which is there', ('--no-index', 'pip'), 'import pip')
    assert not fresh_venv.is_done(step)
    fresh_venv.run(step)
    assert fresh_venv.is_done(step)
    assert not fresh_venv.is_done(dataclasses.replace(step, pip=('--no-index', 'pip', 'wheel')))
    constraints.write_text('wheel==0.48.0\n')
    assert not fresh_venv.is_done(step)


def test_a_failing_step_says_which_why_and_what_to_do(setup_env: ModuleType, fresh_venv: object) -> None:
    step = setup_env.Step('missing', 'a package no index has', ('--no-index', 'no-such-package-9'), '')
    with pytest.raises(setup_env.StepError) as caught:
        fresh_venv.run(step)
    message = str(caught.value)
    assert message.startswith("step 'missing' failed: ")
    assert 'No matching distribution found for no-such-package-9' in message
    assert 'what to do: the index has no such version for Python' in message
    assert str(fresh_venv.records / 'missing.log') in message
    assert not fresh_venv.is_done(step)


def test_what_installs_and_does_not_import_has_not_gone_through(setup_env: ModuleType, fresh_venv: object) -> None:
    step = setup_env.Step('hollow', 'pip again', ('--no-index', '--no-deps', '--help'), 'import no_such_module_9')
    with pytest.raises(setup_env.StepError, match="No module named 'no_such_module_9'"):
        fresh_venv.run(step)
    assert not fresh_venv.is_done(step)


def test_a_folder_that_is_no_environment_is_left_alone(setup_env: ModuleType, tmp_path: Path) -> None:
    (tmp_path / 'thesis.tex').write_text('years of work')
    with pytest.raises(setup_env.StepError, match='not a virtual environment and not empty'):
        setup_env.Environment(tmp_path).create()
    assert (tmp_path / 'thesis.tex').read_text() == 'years of work'


@pytest.mark.parametrize(
    ('log', 'advice'),
    [
        ('The virtual environment was not created successfully because ensurepip is not\navailable.', 'python3-venv'),
        ("error: command 'g++' failed: No such file or directory", 'build-essential'),
        ('xtcocotools/_mask.c:6:10: fatal error: Python.h: No such file or directory', 'python3-dev'),
        ("ConnectionResetError: NewConnectionError('Failed to establish a new connection')", 'pip config list'),
        ('ERROR: ResolutionImpossible: for help visit', 'two pins exclude each other'),
        ('OSError: [Errno 28] No space left on device', 'the disk is full'),
        ('g++: fatal error: Killed signal terminated program cc1plus', 'MAX_JOBS=1'),
        ('ImportError: libGL.so.1: cannot open shared object file', 'libgl1'),
        ('The detected CUDA version (12.4) mismatches the version that was used to compile', 'CUDA_VISIBLE_DEVICES='),
        ('something nobody has seen before', 'the advice of the step'),
    ],
)
def test_known_symptoms_have_their_advice(setup_env: ModuleType, log: str, advice: str) -> None:
    message = setup_env.report('name', 'pip install x', log, 'the advice of the step')
    assert advice in message.split('what to do: ')[1]
    assert log.splitlines()[-1] in message


def test_core_steps_lead_so_that_both_levels_share_an_environment(setup_env: ModuleType) -> None:
    assert setup_env.FULL[: len(setup_env.CORE)] == setup_env.CORE
    heavy = {'torchvision', 'onedl-mmcv', 'mmpose', 'timm'}
    assert not heavy & {word for step in setup_env.CORE for word in step.pip}


def test_make_help_describes_every_target() -> None:
    makefile = (REPOSITORY / 'Makefile').read_text()
    targets = {'setup', 'demo', 'test', 'lint', 'clean'}
    assert targets <= set(re.findall(r'^([a-z-]+):.*## ', makefile, re.MULTILINE))
    told = subprocess.run(['make', 'help'], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert all(f'make {target} ' in told for target in targets)
