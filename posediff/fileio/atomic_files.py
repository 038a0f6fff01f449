"""Atomic writes: output files are either complete or absent."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOT_SYNCED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
"""Error numbers of ``fsync`` on file systems that cannot flush a folder; these errors are ignored."""


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` with the same suffix; it is renamed to ``path`` if the block succeeds.

    The folder is created if it does not exist. The file is flushed to disk before it is renamed. If the block raises,
    or the disk is full, nothing is left behind and an existing file is kept. Several threads and processes may write
    the same path at the same time: the last one to finish wins.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f'.{secrets.token_hex(8)}{target.suffix}')
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, target)
        _flush_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_write_files(folder: str | Path) -> Iterator[Path]:
    """Yield a new hidden folder in ``folder``; its files are moved to ``folder`` if the block succeeds, all or none.

    ``folder`` is created if it does not exist. If the block raises, or a file cannot be renamed, no new file is left
    behind and existing files are kept.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    drafts, before = (target / f'.{secrets.token_hex(8)}' for _ in range(2))
    try:
        drafts.mkdir()
        yield drafts
        names = sorted(path.name for path in drafts.iterdir())
        for name in names:
            _flush(drafts / name)
        before.mkdir()
        _move_all(names, drafts, target, before)
        _flush_folder(target)
    finally:
        for leftover in (drafts, before):
            shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def new_folder(folder: str | Path) -> Iterator[Path]:
    """Yield a new hidden folder beside ``folder``; it is renamed to ``folder`` if the block succeeds.

    Parent folders are created if they do not exist. If the block raises, nothing is left behind.

    Raises:
        FileExistsError: The name exists before or after the block.
    """
    target = Path(folder)
    if os.path.lexists(target):
        raise FileExistsError(f'{target} exists already')
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f'.{secrets.token_hex(8)}')
    try:
        draft.mkdir()
        yield draft
        for path in (draft, *draft.rglob('*')):
            if path.is_dir():
                _flush_folder(path)
            else:
                _flush(path)
        if os.path.lexists(target):
            raise FileExistsError(f'{target} exists already')
        os.rename(draft, target)
        _flush_folder(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _move_all(names: list[str], drafts: Path, target: Path, before: Path) -> None:
    """Move files from the folder ``drafts`` to ``target``; if one cannot be moved, restore the previous files.

    Args:
        names: Names of the files.
        drafts: Folder of the new files.
        target: Folder to move them to.
        before: Empty folder for copies of the files that are replaced.
    """
    moved: list[str] = []
    try:
        for name in names:
            if (target / name).is_file():
                _keep(target / name, before / name)
            os.replace(drafts / name, target / name)
            moved.append(name)
    except BaseException:
        for name in reversed(moved):
            if (before / name).exists():
                os.replace(before / name, target / name)
            else:
                (target / name).unlink()
        raise


def _keep(path: Path, second: Path) -> None:
    """Create a hard link to a file, or a copy if the file system has no hard links."""
    try:
        os.link(path, second)
    except OSError:
        shutil.copy2(path, second)


def _flush(path: Path) -> None:
    with path.open('rb' if os.name == 'posix' else 'rb+') as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Flush the entries of a folder to disk."""
    if os.name != 'posix':
        return  # other systems cannot open folders
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_SYNCED:
            raise
    finally:
        os.close(descriptor)
