"""Run the steps with the pip of an environment."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from posediff.installation.failures import StepError, report
from posediff.installation.pins import normalise
from posediff.installation.steps import Step


class PipSteps:
    """The steps of one environment.

    Args:
        python: Its interpreter.
        constraints: Versions that pip may install.
        folder: Where pip runs; ``.`` in the arguments of a step is this folder.
        records: Folder of the logs.
        again: The command that repeats everything, for error messages.
    """

    def __init__(self, python: Path, constraints: Path, folder: Path, records: Path, again: str) -> None:
        self.python = python
        self.constraints = constraints
        self.folder = folder
        self.records = records
        self.again = again

    def run_all(self, steps: Sequence[Step]) -> None:
        """Run steps in their order and print how far it is.

        Raises:
            StepError: One failed; those before it are kept.
        """
        for number, step in enumerate(steps, start=1):
            print(f'[{number}/{len(steps)}] {step.name}: {step.about}', flush=True)
            started = time.monotonic()
            self.run(step)
            print(f'      {self.how_done(step)} {time.monotonic() - started:.0f} s', flush=True)

    def run(self, step: Step) -> None:
        """Install and check one step.

        A package that was compiled against another torch or numpy can come out of pip's cache; when what was
        installed does not import, it is dropped there and built once more.

        Raises:
            StepError: pip or the check failed.
        """
        self.log_of(step).write_text('')
        pip: list[str | Path] = [self.python, '-m', 'pip']
        install: list[str | Path] = [*pip, 'install', '--progress-bar', 'off', '-c', self.constraints]
        check: list[str | Path] = [self.python, '-I', '-c', step.check]
        self.call(step, [*install, *step.pip])
        try:
            self.call(step, check)
        except StepError:
            if not step.compiled:
                raise
            print(f'      {step.compiled} does not import: compiling it again', flush=True)
            subprocess.run([*pip, 'cache', 'remove', step.compiled.replace('-', '_')], capture_output=True)
            self.call(step, [*install, '--force-reinstall', *step.pip])
            self.call(step, check)

    def call(self, step: Step, command: Sequence[str | Path]) -> None:
        """Run one command of a step, its output appended to the log."""
        log, line = self.log_of(step), shlex.join(map(str, command))
        with log.open('a') as stream:
            stream.write(f'$ {line}\n')
            stream.flush()
            code = subprocess.run(
                command, cwd=self.folder, env=build_environment(step), stdout=stream, stderr=subprocess.STDOUT
            ).returncode
        if code:
            raise StepError(report(step.name, line, log.read_text(), step.advice, log, self.again))

    def log_of(self, step: Step) -> Path:
        """The log file of a step."""
        return self.records / f'{step.name}.log'

    def how_done(self, step: Step) -> str:
        """Return how a step came by its package, from its log: ``'compiled in'``, ``'from pip's cache in'``."""
        log = self.log_of(step).read_text()
        if step.compiled and f'Building wheel for {step.compiled}' in log:
            return 'compiled in'
        if step.compiled and f'Using cached {step.compiled.replace("-", "_")}' in log:
            return "taken from pip's cache in"
        return 'done in'

    def installed(self) -> dict[str, str]:
        """Return the versions of the packages in the environment, by normalised name.

        Raises:
            StepError: The environment has no pip.
        """
        command = [str(self.python), '-m', 'pip', 'list', '--format', 'json', '--disable-pip-version-check']
        done = subprocess.run(command, cwd=self.records, env=clean_environment(), capture_output=True, text=True)
        if done.returncode:
            line = shlex.join(command)
            raise StepError(report('pip', line, done.stderr, 'repair the environment', again=self.again))
        return {normalise(package['name']): package['version'] for package in json.loads(done.stdout)}

    def cached_wheel(self, name: str, version: str) -> Path | None:
        """Find the wheel that pip once compiled of a package, for this Python and machine.

        pip keeps it under the address of the index that the source came from; from another index it is compiled again.
        """
        file_name = name.replace('-', '_')
        command = [str(self.python), '-m', 'pip', 'cache', 'list', file_name, '--format', 'abspath']
        done = subprocess.run(command, cwd=self.records, env=clean_environment(), capture_output=True, text=True)
        tag = subprocess.run(
            [self.python, '-I', '-c', 'import sys; print("cp%d%d" % sys.version_info[:2])'],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for line in done.stdout.splitlines() if done.returncode == 0 else ():
            path = Path(line.strip())
            if path.name.startswith(f'{file_name}-{version}-{tag}-') and path.stem.endswith(platform.machine()):
                return path
        return None


def clean_environment() -> dict[str, str]:
    """Environment variables for pip: without the modules of a checkout on the path."""
    env = dict(os.environ)
    env.pop('PYTHONPATH', None)
    return env


def build_environment(step: Step) -> dict[str, str]:
    """Environment variables for the commands of a step."""
    env = {**clean_environment(), **dict(step.env)}
    env.setdefault('MAX_JOBS', str(len(os.sched_getaffinity(0))))
    for flags in ('CFLAGS', 'CXXFLAGS'):
        # Python's own flags ask for debug symbols: without them g++ takes 0.6 of the time and less memory
        env[flags] = f'-g0 {env.get(flags, "")}'.rstrip()
    if shutil.which('nvcc') is None and 'CUDA_HOME' not in env:
        env['CUDA_VISIBLE_DEVICES'] = ''  # a GPU without its compiler: build the ops for the CPU instead of failing
    return env
