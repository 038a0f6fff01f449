"""The virtual environment of a checkout, whose finished steps are not run again."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

from posediff.installation.failures import StepError, report
from posediff.installation.pip_steps import PipSteps
from posediff.installation.steps import Step

OLDEST_PYTHON = (3, 10)


class VirtualEnvironment(PipSteps):
    """A virtual environment with the stamps and logs of its steps.

    A step that went through leaves a stamp, the hash of its definition and of the files that it reads.

    Args:
        path: The environment.
        root: The checkout.
        constraints: Versions that pip may install.
    """

    def __init__(self, path: Path, root: Path, constraints: Path) -> None:
        super().__init__(path / 'bin' / 'python', constraints, root, path / '.setup', 'make setup')
        self.path = path

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
        digest = hashlib.sha256(repr((step.pip, step.check, step.env, str(self.folder))).encode())
        for path in (self.constraints, *(self.folder / name for name in step.reads)):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def run(self, step: Step) -> None:
        """Install, check, and stamp one step."""
        super().run(step)
        stamp = self.records / f'{step.name}.stamp'
        fresh = stamp.with_suffix('.new')
        fresh.write_text(self.fingerprint(step))
        os.replace(fresh, stamp)
