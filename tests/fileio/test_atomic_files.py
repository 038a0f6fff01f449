"""Atomic writes: with threads, full disks, blocks that raise, and existing names."""

from __future__ import annotations

import os
import signal
import stat
import threading
from pathlib import Path

import pytest

from posediff.fileio import atomic_files
from posediff.fileio.atomic_files import atomic_write, atomic_write_files


def test_a_file_takes_its_name_with_the_mode_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / 'new' / 'a.json') as draft:
            assert (draft.parent, draft.suffix) == (tmp_path / 'new', '.json')
            draft.write_text('{}')
    finally:
        os.umask(before)
    assert [path.name for path in (tmp_path / 'new').iterdir()] == ['a.json']
    assert stat.S_IMODE((tmp_path / 'new' / 'a.json').stat().st_mode) == 0o640


@pytest.mark.parametrize('name', ['a' * 251 + '.npz', '.hidden', 'ä b:c.json', 'no_suffix'])
def test_any_name_that_the_file_system_takes_will_do(tmp_path, name):
    with atomic_write(tmp_path / name) as draft:
        draft.write_text('x')
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_two_threads_that_write_one_file_leave_it_whole(tmp_path):
    path, barrier, failures = tmp_path / 'a.txt', threading.Barrier(4), []

    def write(letter: str) -> None:
        try:
            for _ in range(20):
                with atomic_write(path) as draft:
                    barrier.wait(timeout=10)  # all four threads are in the block
                    draft.write_text(1000 * letter)
                    barrier.wait(timeout=10)
        except BaseException as error:
            failures.append(error)
            barrier.abort()

    threads = [threading.Thread(target=write, args=(letter,)) for letter in 'abcd']
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    text = path.read_text()
    assert text == 1000 * text[0]
    assert [one.name for one in tmp_path.iterdir()] == ['a.txt']


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_older_file(tmp_path, error):
    path = tmp_path / 'a.txt'
    path.write_text('older')

    def fail() -> None:
        with atomic_write(path) as draft:
            draft.write_text('half')
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == 'older'
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    def nothing() -> None:
        with atomic_write(tmp_path / 'a.txt'):
            pass

    with pytest.raises(FileNotFoundError):
        nothing()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_older_file(tmp_path):
    resource = pytest.importorskip('resource')
    path, limits = tmp_path / 'a.txt', resource.getrlimit(resource.RLIMIT_FSIZE)
    path.write_text('older')

    def fill() -> None:
        with atomic_write(path) as draft:
            draft.write_text(10_000 * 'x')

    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
        with pytest.raises(OSError, match='File too large'):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_text() == 'older'
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_flushed_before_it_takes_its_name_and_the_folder_after(tmp_path, monkeypatch):
    done = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, 'fsync', lambda file: done.append(Path(os.readlink(f'/proc/self/fd/{file}'))) or sync(file))
    monkeypatch.setattr(os, 'replace', lambda old, new: done.append('name') or replace(old, new))
    with atomic_write(tmp_path / 'a.txt') as draft:
        draft.write_text('x')
    assert done == [draft, 'name', tmp_path]
    done.clear()
    with atomic_write_files(tmp_path) as drafts:
        (drafts / 'a.txt').write_text('x')
        (drafts / 'b.txt').write_text('x')
    assert done == [drafts / 'a.txt', drafts / 'b.txt', 'name', 'name', tmp_path]


def write_three(folder: Path, text: str) -> None:
    with atomic_write_files(folder) as drafts:
        for name in ('a.txt', 'b.txt', 'c.txt'):
            (drafts / name).write_text(text)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_files_take_their_names_together(tmp_path):
    write_three(tmp_path / 'out', 'one')
    write_three(tmp_path / 'out', 'two')
    assert contents(tmp_path / 'out') == dict.fromkeys(('a.txt', 'b.txt', 'c.txt'), 'two')
    assert len(list((tmp_path / 'out').iterdir())) == 3


@pytest.mark.parametrize('second_names', [True, False])
def test_where_one_file_cannot_take_its_name_all_are_as_before(tmp_path, monkeypatch, second_names):
    if not second_names:
        monkeypatch.setattr(os, 'link', lambda *_: (_ for _ in ()).throw(OSError('no links here')))
    (tmp_path / 'a.txt').write_text('older')
    (tmp_path / 'c.txt').mkdir()  # a folder has the name
    with pytest.raises(OSError, match=r'c\.txt'):
        write_three(tmp_path, 'new')
    assert contents(tmp_path) == {'a.txt': 'older'}
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.txt', 'c.txt']


def test_a_file_system_that_cannot_flush_a_folder_is_no_error(tmp_path, monkeypatch):
    sync = os.fsync

    def refuse(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(atomic_files.NOT_SYNCED[0], 'Invalid argument')
        sync(file)

    monkeypatch.setattr(os, 'fsync', refuse)
    write_three(tmp_path, 'new')
    assert len(contents(tmp_path)) == 3
