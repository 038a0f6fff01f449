"""Videos that do not wait."""

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
        if len(seen) < 4:
            time.sleep(0.1)
    assert seen == sorted(set(seen))
    assert seen[-1] == 59  # the last is not left out
    assert video.left_out == 60 - len(seen) > 10


def test_it_ends_when_nobody_listens(clip):
    before = threading.active_count()
    for _ in LiveVideo(clip):
        break
    assert threading.active_count() == before


def test_a_camera_that_hangs_does_not_hang_the_program(clip, monkeypatch):
    unplugged = threading.Event()

    def hang(*_):
        yield Picture(0, 0.0, np.zeros((32, 32, 3), np.uint8))
        unplugged.wait(30)

    video = LiveVideo(clip)
    monkeypatch.setattr(video, '_pictures', hang)
    began = time.monotonic()
    for _ in video:
        break
    assert time.monotonic() - began < 15
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
