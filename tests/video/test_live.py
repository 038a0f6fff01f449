"""Live videos."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.video import LiveVideo, VideoWriter, open_video  # noqa: E402
from posediff.video.pictures import Picture  # noqa: E402


@pytest.fixture
def clip(tmp_path):
    with VideoWriter(tmp_path / 'clip.mp4', 100.0) as writer:
        for number in range(60):
            writer.write(np.full((32, 32, 3), 4 * number, np.uint8))
    return tmp_path / 'clip.mp4'


def test_somebody_slow_gets_the_newest_frames(clip):
    video = LiveVideo(clip)
    assert video.is_live
    seen = []
    for frame in video:
        seen.append(frame.index)
        while len(seen) < 4 and video.left_out < 5 * len(seen):  # busy until more frames have arrived
            time.sleep(0.01)
    assert seen == sorted(set(seen))
    assert seen[-1] == 59  # the last frame is not skipped
    assert video.left_out == 60 - len(seen) > 10


def test_it_ends_when_nobody_listens(clip):
    before = set(threading.enumerate())
    for _ in LiveVideo(clip):
        break
    for reader in set(threading.enumerate()) - before:
        reader.join(60)  # a busy machine may take longer than the wait
    assert set(threading.enumerate()) <= before


def test_a_camera_that_hangs_does_not_hang_the_program(clip, monkeypatch):
    unplugged, returned = threading.Event(), threading.Event()

    def hang(*_):
        yield Picture(0, 0.0, np.zeros((32, 32, 3), np.uint8))
        unplugged.wait(300)
        returned.set()

    video = LiveVideo(clip)
    monkeypatch.setattr(video, '_pictures', hang)
    for _ in video:
        break
    assert not returned.is_set()
    unplugged.set()


def test_errors_arrive_where_the_frames_are_used(clip, monkeypatch):
    def fail(*_):
        raise RuntimeError('unplugged')

    video = LiveVideo(clip)
    monkeypatch.setattr(video, '_pictures', fail)
    with pytest.raises(RuntimeError, match='unplugged'):
        list(video)
    with pytest.raises(FileNotFoundError):
        LiveVideo(clip.parent / 'none.mp4')
    assert not open_video(clip).is_live
