"""Run a Python program in a process that was forked from one which has imported torch and MMEngine already.

``runpy`` runs this file there, with ``REQUEST`` among its globals: arguments of ``python``, environment, files.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from typing import Any

REQUEST: dict[str, Any] = globals()['REQUEST']


def redirect(descriptor: int, path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, descriptor)
    os.close(file)


def run(words: list[str]) -> None:
    """Run ``python WORDS``: a file, or ``-m`` and a module."""
    if words[0] == '-m':
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name='__main__', alter_sys=True)
    else:
        sys.argv = words
        sys.path.insert(0, str(Path(words[0]).parent))
        runpy.run_path(words[0], run_name='__main__')


redirect(1, REQUEST['stdout'])
redirect(2, REQUEST['stderr'])
os.environ.clear()
os.environ.update(REQUEST['environment'])
sys.path[:0] = [folder for folder in os.environ.get('PYTHONPATH', '').split(os.pathsep) if folder]
run(REQUEST['words'])
