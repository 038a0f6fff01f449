"""Collect which packages are installed and whether they can be imported."""

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

# Code of each probe, run in a subprocess so that a crash is harmless; results are stored in `detail`.
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
# distributions that provide the module of a probe; the probe is skipped if none is installed
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
    """The result of an import.

    Attributes:
        ok: Whether the import succeeded.
        detail: Results of the probe, e.g. the CUDA version.
        error: The exception, ``'RuntimeError: …'``; empty if ok.
    """

    ok: bool
    detail: Mapping[str, Any] = field(default_factory=dict)
    error: str = ''


@dataclass(frozen=True)
class Installed:
    """A snapshot of the machine for the rules.

    Attributes:
        versions: Version of each installed distribution, by normalised name (``onedl-mmcv``).
        probes: Results by name, see :data:`PROBES`; probes whose distribution is not installed are missing.
        driver: Version of the NVIDIA driver, ``None`` if ``nvidia-smi`` finds none.
        python: Version of Python.
        executable: Path of Python, for the printed commands.
        platform: Name of the system.
    """

    versions: Mapping[str, str]
    probes: Mapping[str, Probe] = field(default_factory=dict)
    driver: str | None = None
    python: str = platform.python_version()
    executable: str = sys.executable
    platform: str = platform.platform()

    def release(self, name: str) -> tuple[int, ...] | None:
        """Return the version of a distribution as numbers, ``(2, 11, 0)``; ``None`` if it is not installed."""
        return release(self.versions[name]) if name in self.versions else None

    def has(self, *names: str) -> bool:
        """Return whether all of these distributions are installed."""
        return all(name in self.versions for name in names)

    def error(self, probe: str) -> str:
        """Return the exception of a probe; empty if it succeeded or was not run."""
        return self.probes[probe].error if probe in self.probes else ''

    def pip(self, *arguments: str) -> str:
        """Return a command line that calls the pip of this Python."""
        return shlex.join([self.executable, '-m', 'pip', *arguments])


def release(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: ``'2.11.0+cpu'`` → ``(2, 11, 0)``."""
    match = re.match(r'\d+(?:\.\d+)*', version)
    return tuple(int(number) for number in match.group().split('.')) if match else ()


def normalise(name: str) -> str:
    """Normalise a distribution name as package indexes do."""
    return re.sub(r'[-_.]+', '-', name).lower()


def examine(probes: Collection[str] = tuple(PROBES)) -> Installed:
    """Return a snapshot of this machine; this takes as long as importing torch a few times.

    Args:
        probes: Which of :data:`PROBES` to run, if their distributions are installed.
    """
    versions: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata['Name']
        if name:  # an interrupted uninstall leaves metadata without a name
            versions.setdefault(normalise(name), distribution.version)
    wanted = [name for name in probes if any(owner in versions for owner in PROBED_DISTRIBUTIONS[name])]
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        outcomes = dict(zip(wanted, pool.map(run_probe, (PROBES[name] for name in wanted)), strict=True))
    return Installed(versions=versions, probes=outcomes, driver=find_driver())


def run_probe(code: str) -> Probe:
    """Run Python code in a subprocess and return whether it succeeded.

    Args:
        code: Code that imports a module and may store JSON values in the dict ``detail``.
    """
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
    """Return the version of the NVIDIA driver, ``None`` without one."""
    command = ['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader']
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout.strip() else None
