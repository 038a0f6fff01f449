"""Build: setup.cfg has everything but the copy of configs/ into the package, which pip installs with it."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithConfigs(build_py):
    """Copies configs/ and model-index.yml to ``posediff/.mim``, where MIM and posediff look for them."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:  # a checkout uses its own configs/
            target = Path(self.build_lib) / 'posediff' / '.mim'
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(ROOT / 'configs', target / 'configs', ignore=shutil.ignore_patterns('__pycache__'))
            shutil.copy(ROOT / 'model-index.yml', target)


setup(cmdclass={'build_py': BuildWithConfigs})
