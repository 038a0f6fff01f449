"""The packages that posediff depends on: pinned versions, distributions of each module, and actual imports."""

from __future__ import annotations

from dataclasses import dataclass

from posediff.doctor.snapshot import Installed

# Versions installed by the printed commands; constraints.txt has the same (checked by a test).
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
# module -> the distribution that posediff uses, and others with the same files
FORKS = {
    'mmengine': ('onedl-mmengine', ('mmengine', 'mmengine-lite')),
    'mmcv': ('onedl-mmcv', ('mmcv', 'mmcv-full', 'mmcv-lite')),
    'mmdet': ('onedl-mmdetection', ('mmdet',)),
    'mmpretrain': ('onedl-mmpretrain', ('mmpretrain',)),
    'cv2': ('opencv-python-headless', ('opencv-python', 'opencv-contrib-python', 'opencv-contrib-python-headless')),
}
# requirements of lifting: install_requires in setup.cfg
CORE = {
    'torch': 'torch>=2.6',
    'numpy': 'numpy>=2.0,<2.4',
    'onedl-mmengine': 'onedl-mmengine>=0.10.12,<1',
    'opencv-python-headless': 'opencv-python-headless>=4.10',
    'packaging': 'packaging',
    'einops': 'einops',
    'scipy': 'scipy',
    'matplotlib': 'matplotlib',
    'tqdm': 'tqdm',
    'safetensors': 'safetensors>=0.4.3',
}
VIDEO = ('torchvision', 'timm', 'onedl-mmcv', 'onedl-mmdetection', 'onedl-mmpretrain', 'mmpose', 'xtcocotools')
# actual imports of the packages that are installed without their declared requirements
REAL_NEEDS = {
    'mmpose': ('json-tricks', 'munkres', 'matplotlib', 'scipy', 'pillow', 'six', 'torchvision', 'xtcocotools'),
    'onedl-mmpretrain': ('modelindex', 'mat4py', 'importlib-metadata', 'rich', 'einops'),
    'onedl-mmdetection': ('imaug', 'pycocotools', 'shapely', 'terminaltables', 'scipy', 'six'),
    'imaug': ('imageio', 'scikit-image', 'shapely', 'six'),
}
# pip flags for a package that must be compiled against the installed packages
COMPILE = ('--force-reinstall', '--no-deps', '--no-cache-dir', '--no-build-isolation')


@dataclass(frozen=True)
class Finding:
    """A finding of the doctor.

    Attributes:
        rule: Name of the rule, stable for scripts.
        message: What is wrong and its effect.
        cure: Command that fixes it, or a description if no command does.
        is_problem: False for a note, if nothing is broken.
        touches_lifting: Whether it breaks lifting, not only the video part.
        explains: Name of the probe whose failure this finding explains; empty: of none.
    """

    rule: str
    message: str
    cure: str
    is_problem: bool = True
    touches_lifting: bool = False
    explains: str = ''


def pinned(*names: str) -> list[str]:
    """Return requirements with the pinned versions; names without a pin are unchanged."""
    return [f'{name}=={PINS[name]}' if name in PINS else name for name in names]


def is_provided(installed: Installed, name: str) -> bool:
    """Return whether a distribution, or another one with the same module, is installed."""
    others = next((others for ours, others in FORKS.values() if ours == name), ())
    return any(owner in installed.versions for owner in (name, *others))


def exchange(installed: Installed, remove: list[str], *install: str) -> str:
    """Return the command that uninstalls some packages and then installs others."""
    first = f'{installed.pip("uninstall", "-y", *remove)} && ' if remove else ''
    return first + installed.pip('install', *install)
