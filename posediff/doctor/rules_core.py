"""Rules for problems that affect lifting. A rule yields the findings of one kind of problem in a snapshot."""

from __future__ import annotations

from collections.abc import Iterator

from posediff.doctor.snapshot import Installed, release
from posediff.doctor.stack import CORE, FORKS, Finding, exchange, is_provided, pinned


def old_python(installed: Installed) -> Iterator[Finding]:
    """Yield a finding if Python is older than 3.10."""
    if release(installed.python) < (3, 10):
        message = f'Python {installed.python}: posediff needs 3.10 or later'
        yield Finding('old-python', message, 'make setup PYTHON=python3.11 VENV=.venv-3.11', touches_lifting=True)


def missing_core(installed: Installed) -> Iterator[Finding]:
    """Yield a finding if a package required for lifting is not installed."""
    absent = [name for name in CORE if not is_provided(installed, name)]
    if absent:
        cure = installed.pip('install', *(CORE[name] for name in absent))
        yield Finding('missing-core', f'not installed: {", ".join(absent)}', cure, touches_lifting=True)


def two_owners(installed: Installed) -> Iterator[Finding]:
    """Yield a finding for each module that two installed distributions contain.

    Which of the two is imported depends on the order of installation.
    """
    for module, (ours, others) in FORKS.items():
        beside = [name for name in others if name in installed.versions]
        if ours in installed.versions and beside:
            compiled = ['--no-build-isolation'] if module == 'mmcv' else []
            # uninstalling removes files that both contain, hence the reinstall
            cure = exchange(installed, beside, '--force-reinstall', '--no-deps', *compiled, *pinned(ours))
            yield Finding(
                f'two-{module}',
                f'{ours} beside {" and ".join(beside)}: both contain the files of {module} and overwrite each other',
                cure,
                touches_lifting=module in ('mmengine', 'cv2'),
            )


def old_mmengine(installed: Installed) -> Iterator[Finding]:
    """Yield a finding if the distribution ``mmengine`` is used with a torch that loads with ``weights_only=True``.

    Its last release, 0.10.7, does not support this; onedl-mmengine does.
    """
    mmengine, torch = installed.release('mmengine'), installed.release('torch')
    if mmengine and torch and mmengine <= (0, 10, 7) and torch >= (2, 6) and not installed.has('onedl-mmengine'):
        yield Finding(
            'old-mmengine',
            f'mmengine {installed.versions["mmengine"]} with torch {installed.versions["torch"]}: it cannot resume '
            'its own checkpoints (torch.load has weights_only=True since 2.6)',
            exchange(installed, ['mmengine'], *pinned('onedl-mmengine')),
            touches_lifting=True,
        )


def new_setuptools(installed: Installed) -> Iterator[Finding]:
    """Yield a finding if an installed package needs setuptools < 82, the last to contain ``pkg_resources``."""
    version, torch = installed.release('setuptools'), installed.release('torch')
    old_names = [name for _, others in (FORKS['mmengine'], FORKS['mmcv']) for name in others]
    reasons = [f'{name} imports it' for name in old_names if name in installed.versions]
    if torch and torch[:2] == (2, 11):
        reasons.append('torch 2.11 asks for setuptools < 82')
    if version and version >= (82,) and reasons:
        yield Finding(
            'setuptools',
            f'setuptools {installed.versions["setuptools"]} has no pkg_resources: {", ".join(reasons)}',
            installed.pip('install', 'setuptools>=80,<82'),
        )


def torch_without_gpu(installed: Installed) -> Iterator[Finding]:
    """Yield a note if an NVIDIA driver is installed but torch does not see the GPU."""
    torch = installed.probes.get('torch')
    if installed.driver is None or torch is None or not torch.ok or torch.detail.get('available'):
        return
    cuda = torch.detail.get('cuda')
    if cuda is None:
        message = f'an NVIDIA driver ({installed.driver}) is installed, but torch is a CPU build'
        cure = exchange(installed, ['torch', 'torchvision'], *pinned('torch', 'torchvision'))
    else:
        message = f'torch for CUDA {cuda} finds no GPU with driver {installed.driver}: too old, or the GPU is hidden'
        cure = 'unset CUDA_VISIBLE_DEVICES; if it was not set: install the NVIDIA driver 580 or later (for CUDA 13)'
    yield Finding('no-gpu', message, cure, is_problem=False)


def diffusers_absent(installed: Installed) -> Iterator[Finding]:
    """Yield a note if the optional package diffusers is not installed."""
    if not installed.has('diffusers'):
        message = "diffusers is not installed: only samplers named 'diffusers.…' need it"
        yield Finding('diffusers-absent', message, installed.pip('install', 'diffusers>=0.35'), is_problem=False)


RULES = (old_python, missing_core, two_owners, old_mmengine, new_setuptools, torch_without_gpu, diffusers_absent)
