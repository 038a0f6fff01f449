"""Commands in processes of their own that need not import torch, MMEngine and MMPose again."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import runpy
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FORKED_COMMAND = Path(__file__).with_name('forked_command.py')
# What training and testing import, at their start or in MMEngine's Runner: torchvision when it describes the machine,
# matplotlib for its visualizer, yapf to print the config. A package that is not installed is left out.
PRELOADED = (
    'torch', 'torch._dynamo', 'torchvision', 'mmengine.runner', 'matplotlib.figure', 'matplotlib.backends.backend_agg',
    'yapf.yapflib.yapf_api', 'setuptools', 'scipy.signal', 'mmpose.apis', 'mmpose.datasets', 'posediff.cli.train',
    'posediff.cli.test',
)  # fmt: skip


class ForkedCommand:
    """A running process; the names are those of :class:`subprocess.Popen`."""

    def __init__(self, process: Any, words: list[str], stdout: Path, stderr: Path) -> None:
        self.process, self.words, self.stdout, self.stderr = process, words, stdout, stderr

    def poll(self) -> int | None:
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()

    def wait(self, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        """Wait until it has ended."""
        self.process.join(timeout)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            self.process.join()
            raise subprocess.TimeoutExpired(self.words, timeout, self.stdout.read_text(), self.stderr.read_text())
        return subprocess.CompletedProcess(self.words, code, self.stdout.read_text(), self.stderr.read_text())


@pytest.fixture(scope='session')
def fork_python(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ForkedCommand]:
    """Start ``python FILE …`` or ``python -m MODULE …`` by a fork of a process that has imported what they need.

    It has its own environment variables, output, signals and exit code, like one that is started anew, which takes 5
    seconds more. What happens at an interpreter's start and end is not tested with it.
    """
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(list(PRELOADED))
    folder, numbers = tmp_path_factory.mktemp('forked'), itertools.count()

    def start(*words: object, **variables: str) -> ForkedCommand:
        number = next(numbers)
        stdout, stderr = folder / f'{number}.out', folder / f'{number}.err'
        arguments = [str(word) for word in words]
        request = {
            'words': arguments,
            'environment': {**os.environ, 'OMP_NUM_THREADS': '1', **variables},
            'stdout': str(stdout),
            'stderr': str(stderr),
        }
        process = context.Process(
            target=runpy.run_path, args=(str(FORKED_COMMAND),), kwargs={'init_globals': {'REQUEST': request}}
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv('OMP_NUM_THREADS', '1')  # read when the first call starts the process that is forked
            process.start()
        return ForkedCommand(process, arguments, stdout, stderr)

    return start


@pytest.fixture
def free_port() -> Iterator[str]:
    """A TCP port that nobody else is given while the test runs: it is bound here, and open to who shares addresses."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(('127.0.0.1', 0))
        yield str(holder.getsockname()[1])
