"""Files with several video streams."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip('av')

from posediff.video import open_video  # noqa: E402


def with_still(path: Path, stills: int, attached: bool = False) -> Path:
    """Write a film of 20 pictures, 64 px wide, after a stream of still images, 200 px wide."""
    with av.open(str(path), 'w') as file:
        cover, film = file.add_stream('mjpeg', rate=1), file.add_stream('libx264', rate=30)
        cover.width, cover.height, cover.pix_fmt = 200, 100, 'yuvj420p'
        film.width, film.height, film.pix_fmt = 64, 48, 'yuv420p'
        if attached:
            cover.disposition = av.stream.Disposition.attached_pic
        for stream, (height, width), count in ((cover, (100, 200), stills), (film, (48, 64), 20)):
            for number in range(count):
                image = np.full((height, width, 3), 10 * number, np.uint8)
                frame = av.VideoFrame.from_ndarray(image, format='rgb24').reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = number, Fraction(1, 1 if stream is cover else 30)
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
    return path


@pytest.mark.parametrize('name', ['a.mkv', 'a.mov', 'a.mp4', 'a.nut', 'a.avi'])
@pytest.mark.parametrize('attached', [False, True])
def test_the_film_is_read_and_not_the_cover(tmp_path, name, attached):
    video = open_video(with_still(tmp_path / name, 1, attached))
    frames = list(video)
    assert (video.img_shape, video.fps, len(frames), video.num_frames) == ((48, 64), 30, 20, 20)
    assert video.problem is None
    assert not video.notes


def test_of_two_films_one_is_read_and_named(tmp_path):
    video = open_video(with_still(tmp_path / 'a.mkv', 5))
    assert video.img_shape == (100, 200)
    assert video.notes == [f'{tmp_path / "a.mkv"} has 2 video streams: stream 0 is read, 200x100 px']


def test_sound_with_a_cover_is_no_video(tmp_path):
    path = tmp_path / 'song.mp4'
    with av.open(str(path), 'w') as file:
        sound, cover = file.add_stream('aac', rate=44100, layout='mono'), file.add_stream('mjpeg', rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, 'yuvj420p'
        cover.disposition = av.stream.Disposition.attached_pic
        image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format='rgb24').reformat(format='yuvj420p')
        image.pts = 0
        file.mux(cover.encode(image))
        file.mux(cover.encode())
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format='fltp', layout='mono')
        frame.sample_rate, frame.pts = 44100, 0
        file.mux(sound.encode(frame))
        file.mux(sound.encode())
    with pytest.raises(ValueError, match=r'song\.mp4 has no video stream, only an attached picture'):
        open_video(path)


def test_a_film_shorter_than_its_sound_is_whole(tmp_path):
    path = tmp_path / 'a.mkv'
    with av.open(str(path), 'w') as file:
        sound, film = file.add_stream('aac', rate=8000, layout='mono'), file.add_stream('libx264', rate=30)
        film.width, film.height, film.pix_fmt = 64, 48, 'yuv420p'
        for _ in range(20):
            file.mux(film.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format='rgb24')))
        file.mux(film.encode())
        for number in range(40):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format='fltp', layout='mono')
            frame.sample_rate, frame.pts = 8000, 1024 * number
            file.mux(sound.encode(frame))
        file.mux(sound.encode())
    video = open_video(path)
    assert (len(list(video)), video.num_frames, video.problem) == (20, 20, None)


@pytest.mark.parametrize('aspect', [Fraction(4, 3), Fraction(1)])
def test_pixels_that_are_not_square_are_told(tmp_path, aspect):
    with av.open(str(tmp_path / 'a.mp4'), 'w') as file:
        stream = file.add_stream('libx264', rate=30)
        stream.width, stream.height, stream.pix_fmt = 60, 48, 'yuv420p'
        stream.codec_context.sample_aspect_ratio = aspect
        for _ in range(4):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 60, 3), np.uint8), format='rgb24')))
        file.mux(stream.encode())
    video = open_video(tmp_path / 'a.mp4')
    assert video.img_shape == (48, 60 * aspect)
    told = ['pixels are not square: pictures of 60x48 px are stretched to 80x48' in note for note in video.notes]
    assert told == [True] * (aspect != 1)
