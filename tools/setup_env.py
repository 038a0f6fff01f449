#!/usr/bin/env python3
"""Build the virtual environment, step by step; run by ``make setup``, needs nothing but Python.

The order matters (build tools, torch, the packages that are compiled against it, then those whose own requirements
contradict each other), so each step is its own call of pip under the one ``constraints.txt``. A step that went through
leaves a stamp in the environment, the hash of its definition and of the files it reads, and is not run again until
one of them changes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / 'constraints.txt'
PROJECT_FILES = ('setup.cfg', 'pyproject.toml')
APT_COMPILER = 'apt-get install build-essential python3-dev'
LOG_LINES = 25
OLDEST_PYTHON = (3, 10)


@dataclass(frozen=True)
class Step:
    """One call of pip.

    Attributes:
        name: Name of its stamp and log.
        about: What it installs and how long it takes, for the reader of the terminal.
        pip: Arguments of ``pip install``.
        check: A line of Python that must run afterwards.
        compiled: The package that is compiled here, if one is.
        env: Environment variables of the build.
        reads: Files of the project that the outcome depends on, beside the constraints.
        advice: What to do when it fails for a reason that :data:`SYMPTOMS` does not know.
    """

    name: str
    about: str
    pip: tuple[str, ...]
    check: str
    compiled: str = ''
    env: tuple[tuple[str, str], ...] = ()
    reads: tuple[str, ...] = ()
    advice: str = 'read the log, then run `make setup` again'


CORE = (
    Step(
        'build-tools', 'pip, setuptools, wheel', ('--upgrade', 'pip', 'setuptools', 'wheel'), 'import setuptools, wheel'
    ),
    Step('torch', 'PyTorch and numpy, 1 to 3 min', ('torch', 'numpy'), 'import torch; torch.zeros(1).numpy()'),
    Step(
        'posediff',
        'posediff and what lifting needs',
        ('--no-build-isolation', '--editable', '.'),
        'import mmengine.runner, scipy, matplotlib, einops, tqdm, posediff',
        reads=PROJECT_FILES,
    ),
)
DEMO = (
    *CORE,
    Step(
        'demo',
        "what reads videos and runs MediaPipe's networks",
        ('--no-build-isolation', '--editable', '.[demo]'),
        'import av, ai_edge_litert.interpreter, cv2',
        reads=PROJECT_FILES,
    ),
)
FULL = (
    *CORE,
    Step('compilers', 'ninja and Cython', ('ninja', 'cython'), 'import ninja, Cython'),
    Step(
        'extras',
        'what video, diffusers, tests and lint need',
        (
            '--no-build-isolation',
            '--editable',
            '.[video,pipeline,mediapipe,keypoint-files,tracking,export,diffusers,test,dev]',
        ),
        'import torchvision.ops, timm, cv2, pytest',
        reads=PROJECT_FILES,
    ),
    Step(
        'xtcocotools',
        'xtcocotools, compiled against this numpy',
        ('--no-deps', '--no-build-isolation', '--no-binary', 'xtcocotools', 'xtcocotools'),
        'import xtcocotools.mask',
        compiled='xtcocotools',
        advice=f'it is compiled here: {APT_COMPILER}',
    ),
    Step(
        'mmcv',
        'onedl-mmcv with its compiled ops, 2 to 10 min (seconds when pip has the wheel)',
        # no dependencies: it names opencv-python, which overwrites opencv-python-headless
        ('--no-deps', '--no-build-isolation', 'onedl-mmcv'),
        'import mmcv.ops',
        compiled='onedl-mmcv',
        env=(('MMCV_WITH_OPS', '1'),),
        advice=f'it is compiled here: {APT_COMPILER}; with little memory: MAX_JOBS=1 make setup',
    ),
    Step(
        'openmmlab',
        'MMPose, MMDetection, MMPretrain',
        ('--no-deps', '--no-build-isolation', 'onedl-mmdetection', 'mmpose', 'onedl-mmpretrain', 'imaug'),
        'import mmpose.apis, mmdet.apis, mmpretrain.models',
        advice='`posediff doctor` names the packages that do not fit together',
    ),
)

# what the log says -> what to do; the first that matches is printed
SYMPTOMS = (
    (r'ensurepip is not|No module named (venv|ensurepip)', 'apt-get install python3-venv'),
    (
        r'NewConnectionError|NameResolutionError|name resolution|ReadTimeout|ProxyError|SSLError',
        'pip does not reach its package index: check the network and `pip config list`, then run `make setup` again',
    ),
    (
        r'No matching distribution|Could not find a version|have no matching distributions',
        'the index has no such version for Python {python}: correct the pin in constraints.txt',
    ),
    (
        r'ResolutionImpossible|conflicting dependencies',
        'two pins exclude each other: correct them in constraints.txt (the log names both)',
    ),
    (
        r'No space left on device',
        'the disk is full: the whole set takes 6 GB; put it elsewhere with `make setup VENV=…`, and TMPDIR=…',
    ),
    (r'Python\.h: No such file', 'apt-get install python3-dev'),
    (r"(g\+\+|gcc|cc|c\+\+)'?:? (failed: )?(No such file|not found|command not found)", APT_COMPILER),
    (r'Killed signal|internal compiler error|Cannot allocate memory', 'too little memory: MAX_JOBS=1 make setup'),
    (
        r'detected CUDA version .* mismatches',
        'nvcc and torch are of different CUDA releases: install the one torch names, or build the ops for the CPU only '
        '(all but detectors on the GPU): CUDA_VISIBLE_DEVICES= make setup',
    ),
    (r'libGL\.so|libgthread|libglib', 'apt-get install libgl1 libglib2.0-0'),
)


class StepError(Exception):
    """A step failed; the message says which, why and what to do."""


def main() -> int:
    """Bring the environment to the level asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description='Build the virtual environment of posediff.')
    parser.add_argument('--venv', type=Path, default=ROOT / '.venv', help='where it goes (default: .venv)')
    parser.add_argument('--core', action='store_true', help='only what lifting needs: no torchvision, mmcv, MMPose')
    parser.add_argument('--demo', action='store_true', help='that, and what reads videos')
    args = parser.parse_args()
    steps, level = (CORE, 'what lifting needs') if args.core else (FULL, 'everything')
    if args.demo:
        steps, level = DEMO, 'what the demo needs'
    try:
        environment = Environment(args.venv.absolute())
        environment.create()
        waiting = [step for step in steps if not environment.is_done(step)]
        warn_about_compiler(waiting)
        for number, step in enumerate(waiting, start=1):
            print(f'[{number}/{len(waiting)}] {step.name}: {step.about}', flush=True)
            started = time.monotonic()
            environment.run(step)
            print(f'      done in {time.monotonic() - started:.0f} s', flush=True)
    except StepError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nstopped; finished steps are kept', file=sys.stderr)
        return 130
    print(f'{args.venv} is ready ({level}).')
    return 0


class Environment:
    """A virtual environment with the stamps and logs of its steps."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.python = path / 'bin' / 'python'
        self.records = path / '.setup'

    def create(self) -> None:
        """Make the environment unless it is there and its Python runs.

        Raises:
            StepError: Python is too old, cannot make environments, or the path holds something else.
        """
        if sys.version_info[:2] < OLDEST_PYTHON:
            version = '.'.join(map(str, sys.version_info[:3]))
            raise StepError(f'this is Python {version}; posediff needs 3.10 or later: make setup PYTHON=python3.11')
        if (
            self.python.exists()
            and not subprocess.run([self.python, '-c', 'import pip'], capture_output=True).returncode
        ):
            self.records.mkdir(exist_ok=True)
            return
        if self.path.exists() and any(self.path.iterdir()) and not (self.path / 'pyvenv.cfg').exists():
            raise StepError(f'{self.path} is not a virtual environment and not empty: choose another VENV')
        command = [sys.executable, '-m', 'venv', '--clear', str(self.path)]
        made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if made.returncode:
            raise StepError(report('venv', shlex.join(command), made.stdout, 'apt-get install python3-venv'))
        self.records.mkdir()

    def is_done(self, step: Step) -> bool:
        """Whether the step went through with its present definition."""
        stamp = self.records / f'{step.name}.stamp'
        return stamp.exists() and stamp.read_text() == self.fingerprint(step)

    def fingerprint(self, step: Step) -> str:
        """Hash of all that the outcome of a step depends on."""
        digest = hashlib.sha256(repr((step.pip, step.check, step.env, str(ROOT))).encode())
        for path in (CONSTRAINTS, *(ROOT / name for name in step.reads)):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def run(self, step: Step) -> None:
        """Install, check, and stamp one step.

        A package that was compiled against another torch or numpy can come out of pip's cache; when what was
        installed does not import, it is dropped there and built once more.

        Raises:
            StepError: pip or the check failed.
        """
        log = self.records / f'{step.name}.log'
        log.write_text('')
        pip = [self.python, '-m', 'pip']
        install = [*pip, 'install', '--progress-bar', 'off', '-c', CONSTRAINTS]
        check = [self.python, '-I', '-c', step.check]
        self.call(step, [*install, *step.pip], log)
        try:
            self.call(step, check, log)
        except StepError:
            if not step.compiled:
                raise
            print(f'      {step.compiled} does not import: compiling it again', flush=True)
            subprocess.run([*pip, 'cache', 'remove', step.compiled.replace('-', '_')], capture_output=True)
            self.call(step, [*install, '--force-reinstall', *step.pip], log)
            self.call(step, check, log)
        stamp = self.records / f'{step.name}.stamp'
        fresh = stamp.with_suffix('.new')
        fresh.write_text(self.fingerprint(step))
        os.replace(fresh, stamp)

    def call(self, step: Step, command: list[str | Path], log: Path) -> None:
        """Run one command of a step, its output appended to the log."""
        line = shlex.join(map(str, command))
        with log.open('a') as stream:
            stream.write(f'$ {line}\n')
            stream.flush()
            code = subprocess.run(
                command, cwd=ROOT, env=build_environment(step), stdout=stream, stderr=subprocess.STDOUT
            ).returncode
        if code:
            raise StepError(report(step.name, line, log.read_text(), step.advice, log))


def build_environment(step: Step) -> dict[str, str]:
    """Environment variables for the commands of a step."""
    env = {**os.environ, **dict(step.env)}
    env.setdefault('MAX_JOBS', str(len(os.sched_getaffinity(0))))
    env.pop('PYTHONPATH', None)
    if shutil.which('nvcc') is None and 'CUDA_HOME' not in env:
        env['CUDA_VISIBLE_DEVICES'] = ''  # a GPU without its compiler: build the ops for the CPU instead of failing
    return env


def report(name: str, command: str, output: str, advice: str, log: Path | None = None) -> str:
    """The message of a failed step: what failed, the end of its log, what to do."""
    tail = '\n'.join(f'    {line}' for line in output.strip().splitlines()[-LOG_LINES:])
    known = next((cure for pattern, cure in SYMPTOMS if re.search(pattern, output)), advice)
    cure = known.replace('{python}', '.'.join(map(str, sys.version_info[:2])))
    where = f'\nthe whole log: {log}' if log else ''
    return f'step {name!r} failed: {command}\n{tail}{where}\nwhat to do: {cure}\n(finished steps are kept)'


def warn_about_compiler(waiting: list[Step]) -> None:
    """Say early, not after a download of gigabytes, that a later step needs a compiler that is not here."""
    built = [step.compiled for step in waiting if step.compiled]
    header = Path(sysconfig.get_path('include'), 'Python.h')
    if built and not (shutil.which('g++') and header.exists()):
        missing = 'g++' if not shutil.which('g++') else 'Python.h'
        print(f'warning: no {missing}: unless pip has kept wheels, {" and ".join(built)} will fail. {APT_COMPILER}')


if __name__ == '__main__':
    sys.exit(main())
