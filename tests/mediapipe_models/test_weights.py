"""Fetching and checking the networks' files."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from posediff.mediapipe_models import weights
from posediff.mediapipe_models.weights import PackedFile


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    monkeypatch.setenv('POSEDIFF_CACHE', str(tmp_path / 'cache'))
    return weights.cache_folder()


@pytest.fixture
def small_wheel(tmp_path, monkeypatch):
    """A wheel of two members that are the expected ones, until a test changes what is expected."""
    path = tmp_path / 'small.whl'
    contents = {'a/one.tflite': b'one' * 1000, 'b/LICENSE': b'do as you like'}
    with zipfile.ZipFile(path, 'w') as archive:
        for member, content in contents.items():
            archive.writestr(member, content)
        archive.writestr('a/large.so', b'0' * 10000)
    files = {Path(member).name: PackedFile(member, sha256(content)) for member, content in contents.items()}
    monkeypatch.setattr(weights, 'FILES', files)
    monkeypatch.setattr(weights, 'WHEEL_SHA256', sha256(path.read_bytes()))
    return path


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def without_index(monkeypatch):
    """Leave pip nothing but an address at which nobody answers."""
    for name in ('PIP_FIND_LINKS', 'PIP_EXTRA_INDEX_URL'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('PIP_CONFIG_FILE', '/dev/null')
    monkeypatch.setenv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple')


def test_the_cache_is_where_the_variable_says_or_in_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv('POSEDIFF_CACHE', str(tmp_path))
    assert weights.cache_folder() == tmp_path / 'mediapipe-0.10.21'
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    monkeypatch.setenv('POSEDIFF_CACHE', '~/elsewhere')
    assert weights.cache_folder() == tmp_path / 'home' / 'elsewhere' / 'mediapipe-0.10.21'
    monkeypatch.setenv('POSEDIFF_CACHE', '')
    assert weights.cache_folder() == tmp_path / 'home' / '.cache' / 'posediff' / 'mediapipe-0.10.21'


def test_only_the_files_wanted_come_out_of_the_wheel(cache, small_wheel):
    assert weights.find('one.tflite') is None
    weights.extract(small_wheel)
    assert {path.name for path in cache.iterdir()} == {'one.tflite', 'LICENSE'}
    assert weights.find('one.tflite').read_bytes() == b'one' * 1000


def test_what_is_in_the_cache_is_not_downloaded_again(cache, small_wheel, monkeypatch):
    weights.extract(small_wheel)
    without_index(monkeypatch)
    assert weights.fetch('LICENSE') == cache / 'LICENSE'


def test_another_wheel_is_refused_and_leaves_nothing(cache, small_wheel, monkeypatch):
    monkeypatch.setattr(weights, 'WHEEL_SHA256', '0' * 64)
    with pytest.raises(
        ValueError, match=r'small\.whl has the SHA-256 [0-9a-f]{64}, expected 0{64}: .*mediapipe==0\.10'
    ):
        weights.extract(small_wheel)
    assert not cache.exists()


def test_a_member_with_other_content_is_refused_and_leaves_nothing(cache, small_wheel, monkeypatch):
    files = {'one.tflite': PackedFile('a/one.tflite', '0' * 64)}
    monkeypatch.setattr(weights, 'FILES', files)
    with pytest.raises(ValueError, match=r'it is a/one\.tflite of .*small\.whl'):
        weights.extract(small_wheel)
    assert list(cache.iterdir()) == []


def test_a_damaged_file_in_the_cache_is_an_error_that_says_what_to_do(cache, small_wheel):
    weights.extract(small_wheel)
    (cache / 'one.tflite').write_bytes(b'one' * 999)
    for look_up in (weights.find, weights.fetch):
        with pytest.raises(ValueError, match=r'one\.tflite has the SHA-256 .*delete it, and it is fetched again'):
            look_up('one.tflite')


def test_without_an_index_the_error_says_what_to_do(cache, monkeypatch):
    without_index(monkeypatch)
    with pytest.raises(RuntimeError, match=r'could not be downloaded.*pip download .*mediapipe_models WHEEL') as caught:
        weights.fetch(weights.DETECTION)
    assert 'No matching distribution' in str(caught.value)  # pip's own reason
    assert str(cache) in str(caught.value)
    assert not cache.exists()


def test_the_command_refuses_a_wrong_wheel_in_one_line(cache, tmp_path):
    wheel = tmp_path / 'other.whl'
    wheel.write_bytes(b'no wheel')
    command = [sys.executable, '-m', 'posediff.mediapipe_models', str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith('error: ')
    assert 'other.whl has the SHA-256' in done.stderr
    assert done.stderr.count('\n') == 1
