"""Rules for problems in the video part: torchvision, mmcv's ops, MMPose and its dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from posediff.doctor.snapshot import Installed
from posediff.doctor.stack import COMPILE, FORKS, REAL_NEEDS, VIDEO, Finding, exchange, is_provided, pinned

# minor versions of matching torch and torchvision releases differ by this: 2.0 with 0.15, 2.11 with 0.26
TORCHVISION_AHEAD = 15


def torch_pair(installed: Installed) -> Iterator[Finding]:
    """Yield a finding if torch and torchvision are of different releases, or only one of them is a CPU build."""
    torch, vision = installed.release('torch'), installed.release('torchvision')
    if not torch or not vision:
        return
    builds = {name: build_of(installed, name) for name in ('torch', 'torchvision')}
    mixed = None not in builds.values() and (builds['torch'] == 'cpu') != (builds['torchvision'] == 'cpu')
    other_release = torch[0] == 2 and vision[0] == 0 and vision[1] != torch[1] + TORCHVISION_AHEAD
    crashes = 'torchvision::nms does not exist' in installed.error('torchvision')
    if mixed or other_release or crashes:
        described = [
            f'{name} {installed.versions[name]}' + (f' ({build} build)' if build else '')
            for name, build in builds.items()
        ]
        yield Finding(
            'torch-torchvision',
            f'{" with ".join(described)}: torchvision fails with "operator torchvision::nms does not exist"',
            exchange(installed, ['torch', 'torchvision'], *pinned('torch', 'torchvision')),
            explains='torchvision',
        )


def build_of(installed: Installed, name: str) -> str | None:
    """Return ``'cpu'`` or ``'CUDA'``, the build of torch or torchvision; ``None`` if unknown."""
    probe = installed.probes.get(name)
    local = installed.versions[name].partition('+')[2]
    if probe is not None and probe.ok:
        return 'CUDA' if probe.detail.get('cuda') else 'cpu'
    if local:
        return 'cpu' if local.startswith('cpu') else 'CUDA'
    return None


def numpy_with_mmpose(installed: Installed) -> Iterator[Finding]:
    """Yield a finding if MMPose up to 1.3.2 is used with numpy >= 2.4, which rejects a conversion in its visualizer."""
    numpy, mmpose = installed.release('numpy'), installed.release('mmpose')
    if numpy and mmpose and numpy >= (2, 4) and mmpose <= (1, 3, 2):
        yield Finding(
            'numpy-mmpose',
            f'numpy {installed.versions["numpy"]} with MMPose {installed.versions["mmpose"]}: its visualizer raises '
            '"only 0-dimensional arrays can be converted to Python scalars"',
            installed.pip('install', 'numpy>=2.0,<2.4'),
        )


def xtcocotools_for_numpy1(installed: Installed) -> Iterator[Finding]:
    """Yield a finding if xtcocotools was compiled against numpy 1, as its wheel on PyPI is, and does not import."""
    error = installed.error('xtcocotools')
    if re.search(r'numpy\.dtype size changed|NumPy 1\.x|_ARRAY_API|numpy\.core\.multiarray', error):
        build_tools = installed.pip('install', 'cython', 'setuptools>=80,<82', 'wheel')
        rebuild = installed.pip('install', *COMPILE, '--no-binary', 'xtcocotools', *pinned('xtcocotools'))
        yield Finding(
            'xtcocotools-numpy1',
            f'xtcocotools {installed.versions.get("xtcocotools")} was compiled for numpy 1, here is numpy '
            f'{installed.versions.get("numpy")} ({error})',
            f'{build_tools} && {rebuild}',
            explains='xtcocotools',
        )


def mmcv_ops(installed: Installed) -> Iterator[Finding]:
    """Yield a finding if mmcv has no compiled ops, or ops compiled for another torch."""
    error = installed.error('mmcv.ops')
    if 'undefined symbol' in error:
        message = f'the ops of mmcv were compiled for another torch ({error})'
    elif 'mmcv._ext' in error or (installed.has('mmcv-lite') and not installed.has('onedl-mmcv')):
        message = f"mmcv has no compiled ops ({error or 'mmcv-lite'}): MMPose's models do not import"
    else:
        return
    wrong = [name for name in FORKS['mmcv'][1] if name in installed.versions]
    build_tools = exchange(installed, wrong, 'ninja', 'setuptools>=80,<82', 'wheel')
    rebuild = installed.pip('install', *COMPILE, *pinned('onedl-mmcv'))
    yield Finding('mmcv-ops', message, f'{build_tools} && MMCV_WITH_OPS=1 {rebuild}', explains='mmcv.ops')


def mmcv_without_cuda(installed: Installed) -> Iterator[Finding]:
    """Yield a note if there is a GPU, but mmcv's ops are compiled for the CPU only."""
    torch, ops = installed.probes.get('torch'), installed.probes.get('mmcv.ops')
    if torch and ops and torch.detail.get('available') and ops.ok and ops.detail.get('cuda') == 'not available':
        rebuild = installed.pip('install', *COMPILE, *pinned('onedl-mmcv'))
        yield Finding(
            'mmcv-cuda',
            "there is a GPU and mmcv's ops were compiled for the CPU only: MMDetection's detectors have to run on the "
            f'CPU. Compiling them needs the nvcc of CUDA {torch.detail.get("cuda")}',
            f'FORCE_CUDA=1 MMCV_WITH_OPS=1 {rebuild}',
            is_problem=False,
        )


def old_mmdet(installed: Installed) -> Iterator[Finding]:
    """Yield a finding if ``mmdet`` is used with mmcv >= 2.2, which its last release under this name rejects."""
    mmdet = installed.release('mmdet')
    mmcv = installed.release('onedl-mmcv') or installed.release('mmcv')
    if mmdet and mmcv and mmdet <= (3, 3, 0) and mmcv >= (2, 2) and not installed.has('onedl-mmdetection'):
        yield Finding(
            'old-mmdet',
            f'mmdet {installed.versions["mmdet"]} rejects mmcv {".".join(map(str, mmcv))} (it requires < 2.2)',
            exchange(installed, ['mmdet'], '--no-deps', *pinned('onedl-mmdetection')),
            explains='mmpose',  # imports mmdet if it is installed
        )


def missing_real_needs(installed: Installed) -> Iterator[Finding]:
    """Yield a finding for each package, installed without its declared requirements, that lacks one that it imports."""
    for package, needs in REAL_NEEDS.items():
        absent = [need for need in needs if not is_provided(installed, need)]
        if installed.has(package) and absent:
            message = f'{package} imports {", ".join(absent)}, not installed'
            yield Finding('missing-needs', message, install_line(installed, absent), explains='mmpose')


def install_line(installed: Installed, names: list[str]) -> str:
    """Return the command that installs packages, each with the options it needs."""
    ways = {'imaug': ('--no-deps',), 'xtcocotools': ('--no-deps', '--no-build-isolation', '--no-binary', 'xtcocotools')}
    plain = [name for name in names if name not in ways]
    lines = [installed.pip('install', *pinned(*plain))] if plain else []
    lines += [installed.pip('install', *ways[name], *pinned(name)) for name in names if name in ways]
    return ' && '.join(lines)


def video_absent(installed: Installed) -> Iterator[Finding]:
    """Yield a note if the video part is not installed, or only partly."""
    absent = [name for name in VIDEO if not is_provided(installed, name)]
    if absent:
        message = f'the video part is not installed (lifting does not need it): {", ".join(absent)}'
        yield Finding('video-absent', message, 'posediff setup openmmlab', is_problem=False)


RULES = (
    torch_pair,
    numpy_with_mmpose,
    xtcocotools_for_numpy1,
    mmcv_ops,
    mmcv_without_cuda,
    old_mmdet,
    missing_real_needs,
    video_absent,
)
