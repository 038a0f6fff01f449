"""The calls of pip that make an environment, in their order."""

from __future__ import annotations

import re
from dataclasses import dataclass

PROJECT_FILES = ('setup.cfg', 'pyproject.toml')
APT_COMPILER = 'apt-get install build-essential python3-dev'


@dataclass(frozen=True)
class Step:
    """One call of pip.

    Attributes:
        name: Name of its stamp and log.
        about: What it installs, for the reader of the terminal.
        pip: Arguments of ``pip install``.
        check: A line of Python that must run afterwards.
        takes: How long it takes with an empty cache, if that is longer than a minute.
        compiled: The package that is compiled here, if one is.
        env: Environment variables of the build.
        reads: Files of the project that the outcome depends on, beside the constraints.
        advice: What to do when it fails for an unknown reason; ``{again}`` stands for the command to repeat.
    """

    name: str
    about: str
    pip: tuple[str, ...]
    check: str
    takes: str = ''
    compiled: str = ''
    env: tuple[tuple[str, str], ...] = ()
    reads: tuple[str, ...] = ()
    advice: str = 'read the log, then run `{again}` again'

    def packages(self) -> list[str]:
        """Names of the packages that it asks for, without posediff itself."""
        words = [word for word in self.pip if re.fullmatch(r'[a-z][\w.-]*', word)]
        return list(dict.fromkeys(words))

    def extras(self) -> list[str] | None:
        """Extras of posediff that it installs; ``None`` if it does not install posediff."""
        for word in self.pip:
            project = re.fullmatch(r'(?:\.|posediff)(?:\[([\w,-]+)\])?(?:==[\w.+!]+)?', word)
            if project:
                return project[1].split(',') if project[1] else []
        return None


CORE: tuple[Step, ...] = (
    Step(
        'build-tools', 'pip, setuptools, wheel', ('--upgrade', 'pip', 'setuptools', 'wheel'), 'import setuptools, wheel'
    ),
    Step(
        'torch',
        'PyTorch and numpy',
        ('torch', 'numpy'),
        'import torch; torch.zeros(1).numpy()',
        takes='1 to 3 min',
    ),
    Step(
        'posediff',
        'posediff and what lifting needs',
        ('--no-build-isolation', '--editable', '.'),
        'import mmengine.runner, scipy, matplotlib, einops, tqdm, posediff',
        reads=PROJECT_FILES,
    ),
)
DEMO: tuple[Step, ...] = (
    *CORE,
    Step(
        'demo',
        "what reads videos and runs MediaPipe's networks",
        ('--no-build-isolation', '--editable', '.[demo]'),
        'import av, ai_edge_litert.interpreter, cv2',
        reads=PROJECT_FILES,
    ),
)
OPENMMLAB: tuple[Step, ...] = (
    Step(
        'xtcocotools',
        'xtcocotools, compiled against this numpy',
        ('--no-deps', '--no-build-isolation', '--no-binary', 'xtcocotools', 'xtcocotools'),
        'import xtcocotools.mask',
        compiled='xtcocotools',
        advice=f'it is compiled here: {APT_COMPILER}',
    ),
    Step(
        'mmcv',
        'MMCV with its compiled ops',
        # no dependencies: it names opencv-python, which overwrites opencv-python-headless
        ('--no-deps', '--no-build-isolation', 'onedl-mmcv'),
        'import mmcv.ops',
        takes='about 5 min on 2 cores',
        compiled='onedl-mmcv',
        env=(('MMCV_WITH_OPS', '1'),),
        advice=f'it is compiled here: {APT_COMPILER}; with little memory: MAX_JOBS=1 {{again}}',
    ),
    Step(
        'openmmlab',
        'MMPose, MMDetection, MMPretrain',
        ('--no-deps', '--no-build-isolation', 'onedl-mmdetection', 'mmpose', 'onedl-mmpretrain', 'imaug'),
        'import mmpose.apis, mmdet.apis, mmpretrain.models',
        advice='`posediff doctor` names the packages that do not fit together',
    ),
)
FULL: tuple[Step, ...] = (
    *CORE,
    Step('compilers', 'ninja and Cython', ('ninja', 'cython'), 'import ninja, Cython'),
    Step(
        'extras',
        'what video, diffusers, tests and lint need',
        (
            '--no-build-isolation',
            '--editable',
            '.[video,pipeline,mediapipe,keypoint-files,tracking,export,diffusers,test,dev]',
        ),
        'import torchvision.ops, timm, cv2, pytest',
        takes='about 1 min',
        reads=PROJECT_FILES,
    ),
    *OPENMMLAB,
)


def openmmlab_steps(version: str) -> tuple[Step, ...]:
    """Steps that add MMCV, MMPose, MMDetection and MMPretrain to an environment that has posediff.

    Args:
        version: Installed version of posediff, which is kept.
    """
    return (
        Step(
            'build-tools',
            'what compiles packages',
            ('setuptools', 'wheel', 'ninja', 'cython'),
            'import setuptools, wheel, ninja, Cython',
        ),
        Step(
            'torch',
            'a PyTorch and a torchvision of one release',
            ('torch', 'torchvision', 'numpy'),
            'import torchvision.ops; torchvision.ops.nms',
            takes='1 to 3 min',
        ),
        Step('video', 'what MMPose and MMDetection import', (f'posediff[video]=={version}',), 'import timm, cv2'),
        *OPENMMLAB,
    )
