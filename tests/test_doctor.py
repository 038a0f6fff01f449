"""Each known incompatibility is found in a snapshot of a machine that has it, with a command that fixes it."""

from __future__ import annotations

import configparser
import dataclasses
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from posediff.doctor import report
from posediff.doctor.snapshot import PROBED_DISTRIBUTIONS, PROBES, Installed, Probe, examine, normalise, run_probe
from posediff.doctor.stack import CORE, FORKS, PINS, REAL_NEEDS, VIDEO, Finding

# the result of `make setup` on a machine without GPU
HEALTHY = Installed(
    versions={
        'cython': '3.3.1',
        'diffusers': '0.42.1',
        'einops': '0.8.2',
        'imageio': '2.38.1',
        'imaug': '0.4.3',
        'importlib-metadata': '10.2.0',
        'json-tricks': '3.17.3',
        'mat4py': '0.6.0',
        'matplotlib': '3.11.2',
        'mmpose': '1.3.2',
        'modelindex': '0.0.2',
        'munkres': '3.0.0',
        'numpy': '2.3.5',
        'onedl-mmcv': '2.3.6',
        'onedl-mmdetection': '3.5.1',
        'onedl-mmengine': '0.10.12',
        'onedl-mmpretrain': '1.3.6',
        'opencv-python-headless': '5.0.0.93',
        'packaging': '26.3',
        'pillow': '13.0.0',
        'pycocotools': '2.0.11',
        'rich': '15.0.0',
        'scikit-image': '0.26.0',
        'scipy': '1.17.1',
        'setuptools': '81.0.0',
        'shapely': '2.2.0',
        'six': '1.17.0',
        'terminaltables': '3.1.10',
        'timm': '1.0.31',
        'torch': '2.11.0',
        'torchvision': '0.26.0',
        'tqdm': '4.70.1',
        'safetensors': '0.8.0',
        'xtcocotools': '1.14.3',
    },
    probes={
        'torch': Probe(ok=True, detail={'cuda': '13.0', 'available': False, 'devices': []}),
        'torchvision': Probe(ok=True, detail={'cuda': 13000}),
        'mmengine': Probe(ok=True),
        'mmcv.ops': Probe(ok=True, detail={'cuda': 'not available'}),
        'xtcocotools': Probe(ok=True),
        'mmpose': Probe(ok=True),
    },
    python='3.11.7',
    executable='/venv/bin/python',
    platform='Linux-6.1-x86_64-with-glibc2.36',
)
PIP = '/venv/bin/python -m pip'


def machine(
    add: dict[str, str] | None = None,
    drop: tuple[str, ...] = (),
    probes: dict[str, Probe] | None = None,
    **other: object,
) -> Installed:
    """Return the valid snapshot with packages added, removed, or with other probe results."""
    versions = {name: version for name, version in {**HEALTHY.versions, **(add or {})}.items() if name not in drop}
    asked = {
        name: probe
        for name, probe in {**HEALTHY.probes, **(probes or {})}.items()
        if any(owner in versions for owner in PROBED_DISTRIBUTIONS[name])
    }
    return dataclasses.replace(HEALTHY, versions=versions, probes=asked, **other)


def failed(error: str) -> Probe:
    return Probe(ok=False, error=error)


def find(installed: Installed, rule: str) -> Finding:
    """Return the only finding of a rule."""
    found = [finding for finding in report.diagnose(installed) if finding.rule == rule]
    assert len(found) == 1, report.diagnose(installed)
    return found[0]


NMS = 'RuntimeError: operator torchvision::nms does not exist'
DTYPE = (
    'ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from '
    'PyObject'
)

BAD = {
    'numpy-mmpose': (machine({'numpy': '2.4.1'}), f"{PIP} install 'numpy>=2.0,<2.4'"),
    'xtcocotools-numpy1': (
        machine(probes={'xtcocotools': failed(DTYPE), 'mmpose': failed(DTYPE)}),
        f"{PIP} install cython 'setuptools>=80,<82' wheel && {PIP} install --force-reinstall --no-deps --no-cache-dir "
        '--no-build-isolation --no-binary xtcocotools xtcocotools==1.14.3',
    ),
    'two-mmengine': (
        machine({'mmengine': '0.10.7'}),
        f'{PIP} uninstall -y mmengine && {PIP} install --force-reinstall --no-deps onedl-mmengine==0.10.12',
    ),
    'two-mmcv': (
        machine({'mmcv': '2.2.0'}),
        f'{PIP} uninstall -y mmcv && {PIP} install --force-reinstall --no-deps --no-build-isolation onedl-mmcv==2.3.6',
    ),
    'two-mmdet': (
        machine({'mmdet': '3.3.0'}),
        f'{PIP} uninstall -y mmdet && {PIP} install --force-reinstall --no-deps onedl-mmdetection==3.5.1',
    ),
    'two-cv2': (
        machine({'opencv-python': '4.11.0.86'}),
        f'{PIP} uninstall -y opencv-python && {PIP} install --force-reinstall --no-deps '
        'opencv-python-headless==5.0.0.93',
    ),
    'torch-torchvision': (
        machine(
            {'torch': '2.11.0+cpu'},
            probes={
                'torch': Probe(ok=True, detail={'cuda': None, 'available': False, 'devices': []}),
                'torchvision': failed(NMS),
                'mmpose': failed(NMS),
            },
        ),
        f'{PIP} uninstall -y torch torchvision && {PIP} install torch==2.11.0 torchvision==0.26.0',
    ),
    'setuptools': (machine({'setuptools': '82.0.1'}), f"{PIP} install 'setuptools>=80,<82'"),
    'old-mmengine': (
        machine({'mmengine': '0.10.7'}, drop=('onedl-mmengine',)),
        f'{PIP} uninstall -y mmengine && {PIP} install onedl-mmengine==0.10.12',
    ),
    'mmcv-ops': (
        machine(
            {'mmcv-lite': '2.2.0'},
            drop=('onedl-mmcv',),
            probes={
                'mmcv.ops': failed("ModuleNotFoundError: No module named 'mmcv._ext'"),
                'mmpose': failed("ModuleNotFoundError: No module named 'mmcv._ext'"),
            },
        ),
        f"{PIP} uninstall -y mmcv-lite && {PIP} install ninja 'setuptools>=80,<82' wheel && "
        f'MMCV_WITH_OPS=1 {PIP} install --force-reinstall --no-deps --no-cache-dir --no-build-isolation '
        'onedl-mmcv==2.3.6',
    ),
    'old-mmdet': (
        machine(
            {'mmdet': '3.3.0'},
            drop=('onedl-mmdetection',),
            probes={
                'mmpose': failed(
                    'AssertionError: MMCV==2.3.6 is used but incompatible. Please install mmcv>=2.0.0rc4, <2.2.0.'
                )
            },
        ),
        f'{PIP} uninstall -y mmdet && {PIP} install --no-deps onedl-mmdetection==3.5.1',
    ),
    'missing-needs': (
        machine(
            drop=('json-tricks', 'munkres'), probes={'mmpose': failed("ModuleNotFoundError: No module named 'munkres'")}
        ),
        f'{PIP} install json-tricks munkres',
    ),
    'missing-core': (
        machine(drop=('einops', 'tqdm', 'onedl-mmpretrain')),
        f'{PIP} install einops tqdm',
    ),
    'old-python': (machine(python='3.9.18'), 'make setup PYTHON=python3.11 VENV=.venv-3.11'),
}


def test_a_healthy_machine_has_no_findings() -> None:
    assert report.diagnose(HEALTHY) == []
    text = report.as_text(HEALTHY, [])
    assert 'nothing is broken' in text
    assert re.search(r'lifting +ready', text)
    assert re.search(r'video +ready', text)
    assert re.search(r'compiled mmcv ops +yes, for the CPU', text)


@pytest.mark.parametrize('rule', BAD)
def test_each_bad_combination_has_one_problem_and_its_cure(rule: str) -> None:
    installed, cure = BAD[rule]
    problems = [finding for finding in report.diagnose(installed) if finding.is_problem]
    assert [(problem.rule, problem.cure) for problem in problems] == [(rule, cure)]
    assert report.exit_code(problems) == 1
    assert cure in report.as_text(installed, problems)


@pytest.mark.parametrize('rule', sorted(set(BAD) - {'old-python'}))
def test_carrying_out_the_cure_leaves_nothing_to_cure(rule: str) -> None:
    """Apply the pip commands to the snapshot: remove uninstalled packages, add installed ones and imports."""
    installed, cure = BAD[rule]
    versions = dict(installed.versions)
    for line in cure.split(' && '):
        words = [word for word in shlex.split(line) if not word.startswith('-')]
        action = next(word for word in words if word in ('install', 'uninstall'))
        for requirement in words[words.index(action) + 1 :]:
            name = re.match(r'[\w.-]+', requirement)[0]
            versions.pop(name, None)
            if action == 'install':
                pin = re.search(r'==(.+)', requirement)
                versions[name] = pin[1] if pin else HEALTHY.versions.get(name, '1.0')
    probes = {name: HEALTHY.probes[name] for name in installed.probes}
    cured = dataclasses.replace(installed, versions=versions, probes=probes)
    assert [finding.rule for finding in report.diagnose(cured) if finding.is_problem] == []


def test_a_core_only_machine_is_healthy_and_told_that_the_video_part_is_not_there() -> None:
    core = machine(drop=tuple(name for name in HEALTHY.versions if name not in (*CORE, 'setuptools')))
    findings = report.diagnose(core)
    assert {finding.rule for finding in findings} == {'video-absent', 'diffusers-absent'}
    assert report.exit_code(findings) == 0
    text = report.as_text(core, findings)
    assert re.search(r'lifting +ready', text)
    assert re.search(r'video +not installed', text)
    assert find(core, 'video-absent').cure == 'posediff setup openmmlab'


def test_a_new_setuptools_is_no_problem_where_nothing_needs_the_old_one() -> None:
    """What ``pip install posediff`` leaves without constraints: a newer torch brings a newer setuptools."""
    video = tuple(name for name in HEALTHY.versions if name not in (*CORE, 'setuptools'))
    newer = machine({'torch': '2.14.1', 'setuptools': '84.2.1'}, drop=video)
    assert not [finding for finding in report.diagnose(newer) if finding.is_problem]
    old_engine = machine({'mmengine': '0.10.8', 'setuptools': '84.2.1', 'torch': '2.14.1'}, drop=video)
    assert 'mmengine imports it' in find(old_engine, 'setuptools').message


def test_trouble_of_the_video_part_does_not_put_lifting_in_doubt() -> None:
    findings = report.diagnose(BAD['mmcv-ops'][0])
    assert report.lifting_works(findings)
    assert not report.video_works(findings)
    assert not report.lifting_works(report.diagnose(BAD['two-mmengine'][0]))


def test_ops_for_another_torch_are_told_from_absent_ops() -> None:
    error = 'ImportError: /venv/lib/mmcv/_ext.cpython-311-x86_64-linux-gnu.so: undefined symbol: _ZNK3c105Error4whatEv'
    finding = find(machine(probes={'mmcv.ops': failed(error), 'mmpose': failed(error)}), 'mmcv-ops')
    assert 'compiled for another torch' in finding.message
    assert finding.cure.endswith('onedl-mmcv==2.3.6')


@pytest.mark.parametrize(
    ('torch', 'torchvision', 'is_pair'),
    [('2.11.0', '0.26.0', True), ('2.10.0', '0.25.1', True), ('2.6.0', '0.21.0', True), ('2.11.0', '0.25.0', False)],
)
def test_torch_and_torchvision_have_to_be_of_one_release(torch: str, torchvision: str, is_pair: bool) -> None:
    findings = report.diagnose(machine({'torch': torch, 'torchvision': torchvision}))
    assert ('torch-torchvision' not in [finding.rule for finding in findings]) == is_pair


def test_mixed_builds_are_found_before_they_crash() -> None:
    probes = {'torch': Probe(ok=True, detail={'cuda': None, 'available': False, 'devices': []})}
    assert 'torch 2.11.0 (cpu build) with torchvision 0.26.0 (CUDA build)' in (
        find(machine(probes=probes), 'torch-torchvision').message
    )


def test_an_import_that_fails_for_an_unknown_reason_is_reported_once_at_its_root() -> None:
    probes = {name: failed('ImportError: libcudart.so.13: cannot open shared object file') for name in PROBES}
    problems = [finding for finding in report.diagnose(machine(probes=probes)) if finding.is_problem]
    assert {problem.explains for problem in problems} == {'torch', 'xtcocotools'}
    assert 'libcudart.so.13' in problems[0].message
    assert not report.lifting_works(problems)


def test_gpu_notes_are_not_problems() -> None:
    seen = {'torch': Probe(ok=True, detail={'cuda': '13.0', 'available': True, 'devices': ['NVIDIA H200']})}
    with_gpu = machine(probes=seen, driver='580.65.06')
    assert [finding.rule for finding in report.diagnose(with_gpu)] == ['mmcv-cuda']
    assert 'NVIDIA H200 (torch for CUDA 13.0, driver 580.65.06)' in report.as_text(with_gpu, [])
    hidden = machine(driver='535.54.03')
    assert [finding.rule for finding in report.diagnose(hidden)] == ['no-gpu']
    assert report.exit_code(report.diagnose(hidden)) == 0


def test_pins_of_the_cures_are_those_of_the_constraints_file(repository: Path) -> None:
    constraints = dict(re.findall(r'^([\w.-]+)==([^\s;]+)', (repository / 'constraints.txt').read_text(), re.MULTILINE))
    assert {name: constraints[name] for name in PINS} == PINS


def test_the_core_is_what_setup_cfg_requires(repository: Path) -> None:
    setup = configparser.RawConfigParser()
    setup.read(repository / 'setup.cfg')
    assert sorted(CORE.values()) == sorted(setup['options']['install_requires'].split())
    video = {normalise(re.match(r'[\w.-]+', line)[0]) for line in setup['options.extras_require']['video'].split()}
    constrained = {*video, *CORE, *VIDEO, 'imaug'}
    assert {need for needs in REAL_NEEDS.values() for need in needs} <= constrained


def test_a_probe_survives_what_kills_its_process() -> None:
    assert run_probe('detail["x"] = 1; print("noise")') == Probe(ok=True, detail={'x': 1})
    assert run_probe('raise ValueError("numpy.dtype size changed")').error == 'ValueError: numpy.dtype size changed'
    assert 'exit code -6' in run_probe('import os; os.abort()').error
    assert run_probe('import no_such_package').error == "ModuleNotFoundError: No module named 'no_such_package'"


def test_this_machine_is_examined() -> None:
    installed = examine(probes=('torch',))
    assert installed.release('torch') >= (2, 6)
    assert installed.probes['torch'].ok
    assert {'cuda', 'available', 'devices'} <= set(installed.probes['torch'].detail)
    assert installed.has('numpy', 'onedl-mmengine')


def test_the_doctor_runs_where_torch_does_not_import(tmp_path: Path, repository: Path) -> None:
    """Put a torch that raises first on the path, in the doctor's process and in its probes."""
    broken = tmp_path / 'torch'
    broken.mkdir()
    (broken / '__init__.py').write_text("raise OSError('libtorch_cpu.so: cannot open shared object file')\n")
    done = subprocess.run(
        [sys.executable, '-m', 'posediff', 'doctor', '--json'],
        env={'PATH': '', 'PYTHONPATH': f'{tmp_path}:{repository}'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert not told['healthy']
    assert not told['lifting']
    assert any('libtorch_cpu.so' in finding['message'] for finding in told['findings'])


def test_every_fork_has_a_pin() -> None:
    assert {ours for ours, _ in FORKS.values()} <= set(PINS)
