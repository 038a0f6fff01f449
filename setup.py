"""Build: setup.cfg has everything but the files outside the package that a wheel needs."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithRootFiles(build_py):
    """Copies files from the root of the checkout into the package.

    configs/ and model-index.yml go to ``posediff/.mim``, where MIM and posediff look for them, and constraints.txt to
    ``posediff/installation``, for ``posediff setup``.
    """

    def run(self) -> None:
        package = Path(self.build_lib) / 'posediff'
        if not self.editable_mode:
            shutil.rmtree(package, ignore_errors=True)  # files of an earlier build would get into the wheel
        super().run()
        if not self.editable_mode:  # a checkout uses its own
            shutil.copy(ROOT / 'constraints.txt', package / 'installation')
            shutil.copytree(ROOT / 'configs', package / '.mim/configs', ignore=shutil.ignore_patterns('__pycache__'))
            shutil.copy(ROOT / 'model-index.yml', package / '.mim')


setup(cmdclass={'build_py': BuildWithRootFiles})
