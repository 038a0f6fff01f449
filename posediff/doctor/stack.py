"""The packages posediff stands on: which versions fit, who owns which module, what each really imports."""

from __future__ import annotations

from dataclasses import dataclass

from posediff.doctor.snapshot import Installed

# The versions that the cures install; constraints.txt has the same (a test compares them).
PINS = {
    'torch': '2.11.0',
    'torchvision': '0.26.0',
    'onedl-mmengine': '0.10.12',
    'onedl-mmcv': '2.3.6',
    'onedl-mmdetection': '3.5.1',
    'onedl-mmpretrain': '1.3.6',
    'mmpose': '1.3.2',
    'xtcocotools': '1.14.3',
    'imaug': '0.4.3',
    'opencv-python-headless': '5.0.0.93',
}
# module -> the distribution posediff uses, and others that own the same files
FORKS = {
    'mmengine': ('onedl-mmengine', ('mmengine', 'mmengine-lite')),
    'mmcv': ('onedl-mmcv', ('mmcv', 'mmcv-full', 'mmcv-lite')),
    'mmdet': ('onedl-mmdetection', ('mmdet',)),
    'mmpretrain': ('onedl-mmpretrain', ('mmpretrain',)),
    'cv2': ('opencv-python-headless', ('opencv-python', 'opencv-contrib-python', 'opencv-contrib-python-headless')),
}
# what lifting needs: setup.cfg's install_requires
CORE = {
    'torch': 'torch>=2.6',
    'numpy': 'numpy>=2.0,<2.4',
    'onedl-mmengine': 'onedl-mmengine>=0.10.12,<1',
    'opencv-python-headless': 'opencv-python-headless>=4.10',
    'einops': 'einops',
    'scipy': 'scipy',
    'matplotlib': 'matplotlib',
    'tqdm': 'tqdm',
}
VIDEO = ('torchvision', 'timm', 'onedl-mmcv', 'onedl-mmdetection', 'onedl-mmpretrain', 'mmpose', 'xtcocotools')
# what the packages that go in without their declared requirements really import
REAL_NEEDS = {
    'mmpose': ('json-tricks', 'munkres', 'matplotlib', 'scipy', 'pillow', 'six', 'torchvision', 'xtcocotools'),
    'onedl-mmpretrain': ('modelindex', 'mat4py', 'importlib-metadata', 'rich', 'einops'),
    'onedl-mmdetection': ('imaug', 'pycocotools', 'shapely', 'terminaltables', 'scipy', 'six'),
    'imaug': ('imageio', 'scikit-image', 'shapely', 'six'),
}
# flags of pip for a package that must be compiled against what is installed
COMPILE = ('--force-reinstall', '--no-deps', '--no-cache-dir', '--no-build-isolation')


@dataclass(frozen=True)
class Finding:
    """Something the doctor has to say.

    Attributes:
        rule: Name of the rule, stable for scripts.
        message: What is wrong and what comes of it.
        cure: The line to run, or what to do where no line does it.
        is_problem: False for a note: worth knowing, nothing is broken.
        touches_lifting: Whether it breaks lifting, not only the video part.
        explains: The probe whose failure this finding accounts for.
    """

    rule: str
    message: str
    cure: str
    is_problem: bool = True
    touches_lifting: bool = False
    explains: str = ''


def pinned(*names: str) -> list[str]:
    """Requirements of the versions that are known to work together; a name without a pin stays as it is."""
    return [f'{name}=={PINS[name]}' if name in PINS else name for name in names]


def is_provided(installed: Installed, name: str) -> bool:
    """Whether a distribution, or another one that brings the same module, is installed."""
    others = next((others for ours, others in FORKS.values() if ours == name), ())
    return any(owner in installed.versions for owner in (name, *others))


def exchange(installed: Installed, remove: list[str], *install: str) -> str:
    """The line that uninstalls some packages and then installs others."""
    first = f'{installed.pip("uninstall", "-y", *remove)} && ' if remove else ''
    return first + installed.pip('install', *install)
