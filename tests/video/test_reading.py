"""Reading of unusual videos, written with PyAV."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

av = pytest.importorskip('av')

from posediff.video import VideoWriter, open_video  # noqa: E402
from posediff.video.constant_rate import ConstantRate  # noqa: E402

HEIGHT, WIDTH = 48, 64


def picture(number: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Create an image whose grey value encodes the number, with white at the top left."""
    image = np.full((height, width, 3), 8 * (number % 26) + 16, np.uint8)
    image[: height // 4, : width // 4] = 255
    return image


def number_of(image: np.ndarray) -> int:
    return round((float(image[HEIGHT // 2, WIDTH // 2].mean()) - 16) / 8)


def write(path: Path, count: int = 12, fps: float = 25.0, **shape: int) -> Path:
    with VideoWriter(path, fps) as writer:
        for number in range(count):
            writer.write(picture(number, **shape))
    return path


def write_at(path: Path, ticks: list[int], rate: int = 100) -> Path:
    """Write a file with pictures at given times, in hundredths of a second."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
        stream.codec_context.time_base = Fraction(1, rate)
        for number, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(picture(number), format='rgb24')
            frame.pts = tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_what_was_written_is_read(tmp_path):
    video = open_video(write(tmp_path / 'a.mp4'))
    assert (video.fps, video.img_shape, video.num_frames) == (25.0, (HEIGHT, WIDTH), 12)
    for _ in range(2):  # repeatedly
        frames = list(video)
        assert [number_of(frame.image) for frame in frames] == list(range(12))
        assert [frame.index for frame in frames] == list(range(12))
        assert frames[3].time_s == pytest.approx(0.12)
        assert (video.dropped, video.repeated, video.problem) == (0, 0, None)
    assert [frame.index for frame in video.frames(start=9)] == [9, 10, 11]


@pytest.mark.parametrize('fps', [29.97, 23.976, 59.94, 10, 12.5])
def test_odd_rates_and_sides_survive(tmp_path, fps):
    video = open_video(write(tmp_path / 'a.mp4', count=5, fps=fps, height=47, width=63))
    assert video.fps == pytest.approx(fps, rel=1e-4)
    assert video.img_shape == (48, 64)
    assert len(list(video)) == 5


def test_variable_rates_are_made_constant(tmp_path):
    path = write_at(tmp_path / 'a.mkv', [0, 10, 20, 21, 30, 60, 70])
    video = open_video(path, fps=10)
    frames = list(video)
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 4, 4, 4, 5, 6]
    assert [frame.repeated for frame in frames] == [False] * 4 + [True, True, False, False]
    assert (video.dropped, video.repeated) == (1, 2)


@given(
    times=st.lists(st.floats(0, 0.5), min_size=1, max_size=60),
    start=st.floats(0, 1e5),
    fps=st.sampled_from([10, 29.97]),
)
def test_ticks_follow_each_other_and_lie_near_their_pictures(times, start, fps):
    clock, seen = ConstantRate(fps), 0
    for time in np.cumsum(times):
        ticks = clock.ticks(start + float(time) - times[0])
        assert list(ticks) == list(range(seen, seen + len(ticks)))
        if ticks:
            assert abs(ticks[-1] / fps - (time - times[0])) <= 0.51 / fps
        seen += len(ticks)
    assert seen == clock.next_tick > 0


def test_a_phone_held_upright(tmp_path):
    """The matrix of the track header rotates the picture clockwise: top left becomes top right."""
    data = bytearray(write(tmp_path / 'a.mp4').read_bytes())
    box = data.index(b'tkhd')
    one = 1 << 16
    matrix = struct.pack('>9i', 0, one, 0, -one, 0, 0, HEIGHT * one, 0, 1 << 30)
    at = box + 4 + 4 + 20 + 8 + 8  # type, version and flags, times and ids, reserved, layer to reserved
    data[at : at + 36] = matrix
    (tmp_path / 'turned.mp4').write_bytes(data)
    video = open_video(tmp_path / 'turned.mp4')
    assert video.img_shape == (WIDTH, HEIGHT)
    image = next(iter(video)).image
    assert image[:8, -8:].mean() > 230
    assert image[:8, :8].mean() < 60


def test_a_folder_of_images_needs_a_rate(tmp_path):
    from PIL import Image

    for number in range(3):
        Image.fromarray(picture(number)).save(tmp_path / f'{number:06d}.png')
    with pytest.raises(ValueError, match='does not state its frame rate'):
        open_video(tmp_path)
    frames = list(open_video(tmp_path, fps=5))
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2]
    assert frames[2].time_s == pytest.approx(0.4)
    (tmp_path / '000001.png').write_bytes(b'no image')
    video = open_video(tmp_path, fps=5)
    assert [(number_of(frame.image), frame.repeated) for frame in video] == [(0, False), (0, True), (2, False)]
    assert '1 of its images cannot be read (000001.png)' in video.problem


def test_a_picture_of_another_size_is_the_end(tmp_path):
    from PIL import Image

    for number, height in enumerate((48, 48, 40, 48)):
        Image.fromarray(picture(number, height=height)).save(tmp_path / f'{number:06d}.png')
    video = open_video(tmp_path, fps=5)
    assert [number_of(frame.image) for frame in video] == [0, 1]
    assert video.problem.endswith('the picture at 0.4 s (000002.png) is 64x40 px, the first 64x48: reading stops there')


def test_a_truncated_file_gives_what_it_has_and_says_so(tmp_path):
    whole, rng = tmp_path / 'whole.mp4', np.random.default_rng(0)
    with VideoWriter(
        whole, 25.0
    ) as writer:  # noise compresses badly, so the index, at the front, is a small part of the file
        for _ in range(60):
            writer.write(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))
    half = tmp_path / 'half.mp4'
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    video = open_video(half)
    assert 10 < len(list(video)) < 50
    assert video.problem is not None
    assert 'half.mp4' in video.problem
    assert 'truncated' in video.problem


def test_files_that_are_no_videos_are_named(tmp_path):
    sound = tmp_path / 'sound.wav'
    with av.open(str(sound), 'w') as container:
        stream = container.add_stream('pcm_s16le', rate=8000, layout='mono')
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format='s16', layout='mono')
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'text.mp4').write_text('not a video at all\n' * 50)
    head = tmp_path / 'head.mp4'
    head.write_bytes(write(tmp_path / 'a.mp4').read_bytes()[:600])
    (tmp_path / 'folder').mkdir()
    for name, error, said in (
        ('sound.wav', ValueError, r'sound\.wav has no video stream, only audio'),
        ('empty.mp4', ValueError, r'empty\.mp4'),
        ('text.mp4', ValueError, r'text\.mp4'),
        ('head.mp4', ValueError, r'head\.mp4'),
        ('folder', ValueError, 'folder without images'),
        ('nowhere.mp4', FileNotFoundError, r'nowhere\.mp4 does not exist'),
    ):
        with pytest.raises(error, match=said):
            open_video(tmp_path / name)
    with pytest.raises(ValueError, match=r'fps must be in 0\.\.1000, got -1'):
        open_video(tmp_path / 'a.mp4', fps=-1)


def test_nothing_is_left_of_a_video_that_failed(tmp_path):
    sizes = pytest.raises(ValueError, match=r'images must be \(48, 64, 3\), got \(40, 64, 3\)')
    with sizes, VideoWriter(tmp_path / 'a.mp4', 10) as writer:
        writer.write(picture(0))
        writer.write(picture(0, height=40))
    with pytest.raises(ValueError, match='uint8'), VideoWriter(tmp_path / 'a.mp4', 10) as writer:
        writer.write(picture(0).astype(np.float32))
    with pytest.raises(ValueError, match='no image was given'), VideoWriter(tmp_path / 'a.mp4', 10):
        pass
    assert not list(tmp_path.iterdir())
