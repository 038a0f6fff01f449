"""What is installed, and what happens when it is imported."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

PROBE_SECONDS = 120

# What each probe runs in a Python of its own, where a crash harms nobody: it leaves its findings in `detail`.
PROBES = {
    'torch': (
        'import torch; detail.update(cuda=torch.version.cuda, available=torch.cuda.is_available()); '
        'detail["devices"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] '
        'if detail["available"] else []'
    ),
    'torchvision': 'import torchvision; detail.update(cuda=torchvision.version.cuda)',
    'mmengine': 'import mmengine.runner',
    'mmcv.ops': 'import mmcv.ops; detail.update(cuda=mmcv.ops.get_compiling_cuda_version())',
    'xtcocotools': 'import xtcocotools.mask',
    'mmpose': 'import mmpose.apis',
}
# distributions that bring the module of a probe; without one of them the probe is left out
PROBED_DISTRIBUTIONS = {
    'torch': ('torch',),
    'torchvision': ('torchvision',),
    'mmengine': ('onedl-mmengine', 'mmengine', 'mmengine-lite'),
    'mmcv.ops': ('onedl-mmcv', 'mmcv', 'mmcv-full', 'mmcv-lite'),
    'xtcocotools': ('xtcocotools',),
    'mmpose': ('mmpose',),
}


@dataclass(frozen=True)
class Probe:
    """Outcome of importing something.

    Attributes:
        ok: Whether the import went through.
        detail: What it told about itself.
        error: The exception, ``'RuntimeError: …'``; empty when ok.
    """

    ok: bool
    detail: Mapping[str, Any] = field(default_factory=dict)
    error: str = ''


@dataclass(frozen=True)
class Installed:
    """A machine as the rules see it.

    Attributes:
        versions: Version of each installed distribution, by normalised name (``onedl-mmcv``).
        probes: Outcomes by name, see :data:`PROBES`; a probe whose distribution is absent is absent too.
        driver: Version of the NVIDIA driver, ``None`` where ``nvidia-smi`` finds none.
        python: Version of Python.
        executable: Path of Python, for the lines that cure.
        platform: Name of the system.
    """

    versions: Mapping[str, str]
    probes: Mapping[str, Probe] = field(default_factory=dict)
    driver: str | None = None
    python: str = platform.python_version()
    executable: str = sys.executable
    platform: str = platform.platform()

    def release(self, name: str) -> tuple[int, ...] | None:
        """Numbers of a distribution's version, ``(2, 11, 0)``; ``None`` if it is not installed."""
        return release(self.versions[name]) if name in self.versions else None

    def has(self, *names: str) -> bool:
        """Whether all of these distributions are installed."""
        return all(name in self.versions for name in names)

    def error(self, probe: str) -> str:
        """The exception of a probe; empty if it went through or was not made."""
        return self.probes[probe].error if probe in self.probes else ''

    def pip(self, *arguments: str) -> str:
        """A line that calls the pip of this Python."""
        return shlex.join([self.executable, '-m', 'pip', *arguments])


def release(version: str) -> tuple[int, ...]:
    """Leading numbers of a version: ``'2.11.0+cpu'`` → ``(2, 11, 0)``."""
    match = re.match(r'\d+(?:\.\d+)*', version)
    return tuple(int(number) for number in match.group().split('.')) if match else ()


def normalise(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r'[-_.]+', '-', name).lower()


def examine(probes: Collection[str] = tuple(PROBES)) -> Installed:
    """Look at this machine; takes as long as importing torch a few times.

    Args:
        probes: Which of :data:`PROBES` to make, as far as their distributions are installed.
    """
    versions: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata['Name']
        if name:  # an uninstall that was cut short leaves nameless remains
            versions.setdefault(normalise(name), distribution.version)
    wanted = [name for name in probes if any(owner in versions for owner in PROBED_DISTRIBUTIONS[name])]
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        outcomes = dict(zip(wanted, pool.map(run_probe, (PROBES[name] for name in wanted)), strict=True))
    return Installed(versions=versions, probes=outcomes, driver=find_driver())


def run_probe(code: str) -> Probe:
    """Run a line of Python that fills ``detail``, in a process of its own."""
    program = f'import json\ndetail = {{}}\n{code}\nprint("\\n" + json.dumps(detail))'
    try:
        done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        return Probe(ok=False, error=f'no answer within {PROBE_SECONDS} s')
    if done.returncode == 0:
        return Probe(ok=True, detail=json.loads(done.stdout.splitlines()[-1]))
    lines = [line for line in done.stderr.splitlines() if re.match(r'\w[\w.]*(Error|Exception|Exit)\b', line)]
    if lines:
        return Probe(ok=False, error=lines[-1])
    return Probe(ok=False, error=f'Python ended with exit code {done.returncode}: {done.stderr.strip()[-200:]}')


def find_driver() -> str | None:
    """Version of the NVIDIA driver, ``None`` without one."""
    command = ['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader']
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout.strip() else None
