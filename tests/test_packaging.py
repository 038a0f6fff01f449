"""What importing costs, what lifting does without, and what the package declares."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from posediff.installation.steps import DEMO, FULL, openmmlab_steps

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


def test_all_that_is_installed_is_pinned_in_one_file() -> None:
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
    wanted |= {name for step in (*FULL, *openmmlab_steps('1.0')) for name in step.packages()}
    assert wanted - pinned == set()
    assert 'opencv-python' not in pinned


def test_the_demo_extra_is_what_reads_videos_and_runs_mediapipe() -> None:
    setup = configparser.RawConfigParser()
    setup.read(REPOSITORY / 'setup.cfg')
    extras = {name: set(lines.split('\n')) for name, lines in setup['options.extras_require'].items()}
    assert extras['demo'] == extras['pipeline'] | extras['mediapipe']
    assert DEMO[-1].pip[-1] == '.[demo]'
    assert not {step.compiled for step in DEMO} - {''}


def test_make_help_describes_every_target() -> None:
    makefile = (REPOSITORY / 'Makefile').read_text()
    targets = {'setup', 'demo', 'test', 'lint', 'clean'}
    assert targets <= set(re.findall(r'^([a-z-]+):.*## ', makefile, re.MULTILINE))
    told = subprocess.run(['make', 'help'], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert all(f'make {target} ' in told for target in targets)


def test_the_image_is_built_from_all_that_the_wheel_is_made_of() -> None:
    """.dockerignore leaves out everything but a list of names."""
    lines = (REPOSITORY / '.dockerignore').read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith('!')}
    assert '*' in lines
    assert [name for name in kept if not (REPOSITORY / name).exists()] == []
    read_by_build = set(re.findall(r"ROOT / '([^']+)'", (REPOSITORY / 'setup.py').read_text()))
    assert len(read_by_build) > 2
    assert read_by_build | {'posediff', 'setup.py', 'setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'} <= kept
    copied = re.findall(r'/source/([\w.]+)', (REPOSITORY / 'Dockerfile').read_text())
    assert copied
    assert set(copied) <= kept


def test_the_image_has_the_steps_of_this_package() -> None:
    text = (REPOSITORY / 'Dockerfile').read_text()
    assert 'posediff setup openmmlab' in text
    (extras,) = re.findall(r'/source\[([\w,-]+)\]', text)
    setup = configparser.RawConfigParser()
    setup.read(REPOSITORY / 'setup.cfg')
    assert set(extras.split(',')) <= set(setup['options.extras_require'])


def test_the_page_on_installation_lists_every_extra() -> None:
    setup = configparser.RawConfigParser()
    setup.read(REPOSITORY / 'setup.cfg')
    page = (REPOSITORY / 'docs' / 'installation.md').read_text()
    assert [name for name in setup['options.extras_require'] if f'`{name}`' not in page] == []
