"""Download, verification and cache of files in wheels."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from posediff.assets import DEMO_VIDEO
from posediff.fileio.wheel_files import PackedFile, WheelFiles
from posediff.integrations.mediapipe.weights import DETECTION, WEIGHTS


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """Set an empty cache folder."""
    monkeypatch.setenv('POSEDIFF_CACHE', str(tmp_path / 'cache'))


@pytest.fixture
def wheel(tmp_path):
    """Create a wheel."""
    path = tmp_path / 'small.whl'
    with zipfile.ZipFile(path, 'w') as archive:
        for member, content in CONTENTS.items():
            archive.writestr(member, content)
        archive.writestr('a/large.so', b'0' * 10000)
    return path


@pytest.fixture
def small(wheel):
    """Describe the files of the wheel."""
    files = {Path(member).name: PackedFile(member, sha256(content)) for member, content in CONTENTS.items()}
    return WheelFiles('small==1.0', sha256(wheel.read_bytes()), files)


CONTENTS = {'a/one.tflite': b'one' * 1000, 'b/LICENSE': b'do as you like'}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def without_index(monkeypatch):
    """Configure pip with an unreachable package index only."""
    for name in ('PIP_FIND_LINKS', 'PIP_EXTRA_INDEX_URL'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('PIP_CONFIG_FILE', '/dev/null')
    monkeypatch.setenv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple')


def test_the_cache_is_where_the_variable_says_or_in_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv('POSEDIFF_CACHE', str(tmp_path))
    assert WEIGHTS.cache_folder == tmp_path / 'mediapipe-0.10.21'
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    monkeypatch.setenv('POSEDIFF_CACHE', '~/elsewhere')
    assert WEIGHTS.cache_folder == tmp_path / 'home' / 'elsewhere' / 'mediapipe-0.10.21'
    monkeypatch.setenv('POSEDIFF_CACHE', '')
    assert DEMO_VIDEO.cache_folder == tmp_path / 'home' / '.cache' / 'posediff' / 'sports2d-0.8.34'


def test_only_the_files_wanted_come_out_of_the_wheel(small, wheel):
    assert small.find('one.tflite') is None
    small.extract(wheel)
    assert {path.name for path in small.cache_folder.iterdir()} == {'one.tflite', 'LICENSE'}
    assert small.find('one.tflite').read_bytes() == b'one' * 1000


def test_what_is_in_the_cache_is_not_downloaded_again(small, wheel, monkeypatch):
    small.extract(wheel)
    without_index(monkeypatch)
    assert small.fetch('LICENSE') == small.cache_folder / 'LICENSE'


def test_another_wheel_is_refused_and_leaves_nothing(small, wheel):
    other = replace(small, sha256='0' * 64, tags=('--abi', 'cp311'))
    with pytest.raises(
        ValueError, match=r'small\.whl has the SHA-256 [0-9a-f]{64}, expected 0{64}: .*small==1\.0 \(--abi cp311\)'
    ):
        other.extract(wheel)
    assert not other.cache_folder.exists()


def test_a_member_with_other_content_is_refused_and_leaves_nothing(small, wheel):
    other = replace(small, files={'one.tflite': PackedFile('a/one.tflite', '0' * 64)})
    with pytest.raises(ValueError, match=r'it is a/one\.tflite of .*small\.whl'):
        other.extract(wheel)
    assert list(other.cache_folder.iterdir()) == []


def test_a_damaged_file_in_the_cache_is_an_error_that_says_what_to_do(small, wheel):
    small.extract(wheel)
    (small.cache_folder / 'one.tflite').write_bytes(b'one' * 999)
    for look_up in (small.find, small.fetch):
        with pytest.raises(ValueError, match=r'one\.tflite has the SHA-256 .*delete it, and it is fetched again'):
            look_up('one.tflite')


def test_without_an_index_the_error_says_what_to_do(monkeypatch):
    without_index(monkeypatch)
    with pytest.raises(
        RuntimeError, match=r'could not be downloaded.*pip download .*posediff fetch mediapipe WHEEL'
    ) as caught:
        WEIGHTS.fetch(DETECTION)
    assert 'No matching distribution' in str(caught.value)  # the reason that pip states
    assert str(WEIGHTS.cache_folder) in str(caught.value)
    assert not WEIGHTS.cache_folder.exists()


def test_the_command_refuses_a_wrong_wheel_in_one_line(tmp_path):
    wheel = tmp_path / 'other.whl'
    wheel.write_bytes(b'no wheel')
    command = [sys.executable, '-m', 'posediff', 'fetch', 'mediapipe', str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith('error: ')
    assert 'other.whl has the SHA-256' in done.stderr
    assert done.stderr.count('\n') == 1
