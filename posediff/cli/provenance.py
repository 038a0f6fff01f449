"""Record of how a result was produced."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import Any

import posediff


def provenance(args: argparse.Namespace) -> dict[str, Any]:
    """Return what is needed to reproduce a result: arguments, versions, number of threads, commit of the checkout."""
    import torch  # here, since some commands run without it, and it takes a second and 200 MB

    arguments = {name: str(value) if isinstance(value, Path) else value for name, value in vars(args).items()}
    versions = {'posediff': posediff.__version__, 'torch': torch.__version__, 'commit': _commit()}
    return {'arguments': arguments, 'versions': versions, 'threads': torch.get_num_threads()}


def _commit() -> str | None:
    """Return the commit of the checkout that contains posediff, with ``-dirty`` if files differ; None outside one."""
    command = ['git', '-C', str(Path(posediff.__file__).parent), 'describe', '--always', '--dirty', '--abbrev=12']
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
