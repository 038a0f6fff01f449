"""Names of files that resemble cameras or URLs, and names of cameras."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.video import VideoWriter, names, open_video  # noqa: E402

ODD = [
    '2024-01-01T12:30:00.mp4', '7', 'pipe:x.mp4', '%03d.mp4', '-start.mp4', 'a b.mp4', 'q\'uo"te.mp4', 'ü 日本.mp4',
    'h#a?.mp4', '100%25.mp4', 'concat:a|b.mp4', '[x].mp4', 'back\\slash.mp4', 'camera:7', 'noext', 'http:', '*.mp4',
    '~x.mp4', 'file:x.mp4', 'new\nline.mp4',
]  # fmt: skip


@pytest.mark.parametrize('name', ODD)
def test_a_file_of_any_name_is_read_and_written(tmp_path, monkeypatch, film, numbers, name):
    film('plain.mp4', 4).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for way in (name, Path(name), f'./{name}', tmp_path / name, str(tmp_path / name)):
        video = open_video(way)
        assert numbers(video) == [0, 1, 2, 3]
        assert (video.name, video.is_live) == (str(way), False)
    folder = Path(f'out {name}')
    with VideoWriter(folder / name.replace('\n', ' '), 10) as writer:
        writer.write(np.zeros((32, 32, 3), np.uint8))
    assert os.listdir(folder) == [name.replace('\n', ' ')]


def test_a_folder_of_any_name_is_read(tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    for name in ('0', 'camera:0', '12:30', 'http:'):
        Path(name).mkdir()
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(Path(name) / '%d:1.png')
        assert len(list(open_video(name, fps=5))) == 1


def test_an_address_of_a_file_is_that_file(film, tmp_path):
    path = film('a b#1.mp4', 3)
    video = open_video(path.as_uri())
    assert video.path == path
    assert not video.is_live
    with pytest.raises(FileNotFoundError, match='nothing'):
        open_video((tmp_path / 'nothing').as_uri())


def test_a_number_is_a_camera_unless_a_file_has_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(names, 'DEVICES', str(tmp_path / 'dev' / 'video'))
    for name in ('7', 'camera:7'):
        with pytest.raises(
            FileNotFoundError, match=f'video {name} does not exist: there is no such file, and no camera'
        ):
            open_video(name)
    (tmp_path / 'dev').mkdir()
    device = tmp_path / 'dev' / 'video7'
    device.touch()
    for name in ('7', '007', 'camera:7', device, str(device)):
        assert names.find(name) == names.Place(None, str(device), 'v4l2')
    with pytest.raises(FileNotFoundError):
        names.find(Path('7'))  # a path is never a camera
    Path('7').touch()
    with pytest.raises(ValueError, match=r'7 is a file here, and a camera: \./7 names the file, camera:7 the camera'):
        open_video('7')
    assert names.find('./7').path == names.find(Path('7')).path == Path('7')
    assert names.find('camera:7').path is None
    device.unlink()
    assert names.find('7').path == Path('7')


def test_an_empty_name_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('', '  '):
        with pytest.raises(FileNotFoundError, match='the name of the video is empty'):
            names.find(name)


def test_addresses_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('rtsp://host/7', 'http://host/a.mp4'):
        assert names.find(name) == names.Place(None, name)
    with pytest.raises(FileNotFoundError, match='does not exist'):
        names.find('x' * 5000)
