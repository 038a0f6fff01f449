"""What a failed step says: which one, the end of its log, and what to do."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from posediff.installation.steps import APT_COMPILER

LOG_LINES = 25

# what the log says -> what to do; the first that matches is printed
SYMPTOMS = (
    (r'ensurepip is not|No module named (venv|ensurepip)', 'apt-get install python3-venv'),
    (r'No module named pip', 'this environment has no pip: {executable} -m ensurepip'),
    (
        r'externally-managed-environment',
        'this Python belongs to the system: install posediff into a virtual environment (python3 -m venv)',
    ),
    (
        r'NewConnectionError|NameResolutionError|name resolution|ReadTimeout|ProxyError|SSLError',
        'pip does not reach its package index: check the network and `pip config list`, then run `{again}` again',
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
        'the disk is full: the whole set takes 6 GB; put the environment elsewhere (make setup VENV=…), and TMPDIR=…',
    ),
    (r'Python\.h: No such file', 'apt-get install python3-dev'),
    (r"(g\+\+|gcc|cc|c\+\+)'?:? (failed: )?(No such file|not found|command not found)", APT_COMPILER),
    (r'Killed signal|internal compiler error|Cannot allocate memory', 'too little memory: MAX_JOBS=1 {again}'),
    (
        r'detected CUDA version .* mismatches',
        'nvcc and torch are of different CUDA releases: install the one torch names, or build the ops for the CPU only '
        '(all but detectors on the GPU): CUDA_VISIBLE_DEVICES= {again}',
    ),
    (
        r'operator torchvision::nms does not exist',
        'torch and torchvision are not of one build (CPU and CUDA): uninstall both, then run `{again}` again',
    ),
    (r'libGL\.so|libgthread|libglib', 'apt-get install libgl1 libglib2.0-0'),
)


class StepError(Exception):
    """A step failed; the message says which, why and what to do."""


def report(
    name: str, command: str, output: str, advice: str, log: Path | None = None, again: str = 'make setup'
) -> str:
    """Write the message of a failed step.

    Args:
        name: The step.
        command: The command line that failed.
        output: What it printed.
        advice: What to do if :data:`SYMPTOMS` does not know the output.
        log: File that has all of it.
        again: The command that repeats the step.
    """
    tail = '\n'.join(f'    {line}' for line in output.strip().splitlines()[-LOG_LINES:])
    cure = next((cure for pattern, cure in SYMPTOMS if re.search(pattern, output)), advice)
    words = {'python': '.'.join(map(str, sys.version_info[:2])), 'executable': sys.executable, 'again': again}
    for word, value in words.items():
        cure = cure.replace(f'{{{word}}}', value)
    where = f'\nthe whole log: {log}' if log else ''
    return f'step {name!r} failed: {command}\n{tail}{where}\nwhat to do: {cure}\n(finished steps are kept)'
