"""Files with unusual time stamps or headers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.video import LiveVideo, open_video  # noqa: E402

MS = Fraction(1, 1000)


def test_joined_transport_streams_come_one_after_the_other(film, numbers, tmp_path):
    first, second = (film(name, 20) for name in ('a.ts', 'b.ts'))
    (tmp_path / 'joined.ts').write_bytes(first.read_bytes() + second.read_bytes() + first.read_bytes())
    video = open_video(tmp_path / 'joined.ts')
    assert numbers(video) == 3 * list(range(20))
    assert (video.fps, video.num_frames, video.num_pictures, video.dropped, video.repeated) == (30, 60, 60, 0, 0)
    assert [cut.time_s for cut in video.cuts] == pytest.approx([20 / 30, 40 / 30])
    assert [frame.index for frame in video if frame.after_cut] == [20, 40]
    assert video.problem.count('joined.ts') == 1
    assert 'jump from 0.700 s to 0.067 s at 0.667 s' in video.problem


def test_stamps_that_wrap_around_or_begin_late_count_from_the_first_picture(film, numbers):
    for offset in ('95443.0', '36000'):  # the 33 bits of MPEG-TS end at 95443.7 s
        video = open_video(film('a.ts', 40, options={'output_ts_offset': offset}))
        assert numbers(video) == [number % 26 for number in range(40)]
        assert (video.fps, video.num_frames, video.repeated, video.problem) == (30, 40, 0, None)


@pytest.mark.parametrize('name', ['a.mkv', 'a.webm', 'a.mp4'])
def test_a_film_that_begins_an_hour_late_is_not_truncated(film, numbers, name):
    codec = {'codec': 'libvpx-vp9'} if name == 'a.webm' else {'codec_options': {'bf': '0'}}
    video = open_video(film(name, range(108_000, 108_040), **codec))
    assert numbers(video) == [number % 26 for number in range(40)]
    assert (video.fps, video.num_frames, video.repeated, video.problem) == (pytest.approx(30, abs=0.02), 40, 0, None)


@pytest.mark.parametrize('name', ['a.mkv', 'a.mp4', 'a.ts'])
def test_a_jump_is_a_cut_and_a_pause_is_not(film, numbers, name):
    jump = open_video(film(name, [*range(20), *range(4000, 4020)]))
    assert len(numbers(jump)) == 40
    assert (jump.fps, jump.repeated, jump.dropped, len(jump.cuts)) == (30, 0, 0, 1)
    assert [frame.index for frame in jump if frame.after_cut] == [20]
    assert any(frame.after_cut for frame in open_video(jump.path, fps=2))
    assert 'is treated as a cut' in jump.problem
    assert 'truncated' not in jump.problem
    assert jump.num_frames == 40
    pause = open_video(film(name, [*range(20), *range(110, 130)], codec_options={'bf': '0'}))
    frames = list(pause)
    assert (pause.fps, len(frames), pause.repeated, pause.dropped) == (30, 130, 90, 0)
    assert (pause.cuts, pause.problem) == ([], None)
    assert [frame.picture for frame in frames] == [*range(19), *[19] * 91, *range(20, 40)]
    assert 'its time stamps 30 fps' in ''.join(pause.notes) or name != 'a.mp4'  # it states the average


def test_a_cut_is_told_also_when_the_video_is_not_read_to_its_end(film):
    video = open_video(film('a.mkv', [*range(10), *range(4000, 4010)]))
    frames = video.frames()
    for _ in range(13):
        next(frames)
    frames.close()
    assert 'is treated as a cut' in video.problem
    assert 'truncated' not in video.problem


def test_a_browser_recording_that_says_1000_fps(film, numbers):
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.choice([30, 33, 34, 36, 66], 60, p=[0.2, 0.3, 0.2, 0.15, 0.15])).tolist()
    video = open_video(film('a.webm', times, MS, 'libvpx', {'lag-in-frames': '0'}, rate=Fraction(1000)))
    assert video.fps == pytest.approx(30, rel=0.03)
    assert set(numbers(video)) == set(range(26))
    assert video.dropped <= 1
    assert '1000 fps' in video.notes[0]


def test_a_stream_without_stamps_has_the_rate_of_its_codec_or_the_one_that_is_given(film, numbers):
    raw = film('a.h264', 20, Fraction(1, 50))
    video = open_video(raw)
    assert (video.fps, numbers(video), video.num_frames) == (50, list(range(20)), 20)
    assert 'no time stamps: it is read at the 50 fps' in video.notes[0]
    given = open_video(raw, fps=20)
    assert (given.fps, numbers(given), given.notes) == (20, list(range(20)), [])
    jpegs = film('a.mjpeg', 5, codec='mjpeg', pix_fmt='yuvj420p', format='mjpeg')
    with pytest.raises(ValueError, match=r'a\.mjpeg does not state its frame rate'):
        open_video(jpegs)
    assert numbers(open_video(jpegs, fps=10)) == list(range(5))


def test_a_codec_that_states_the_ticks_of_its_clock_states_no_rate(film, numbers):
    raw = film('a.h264', [3000 * number for number in range(20)], Fraction(1, 90000))
    with pytest.raises(
        ValueError,
        match=r'a\.h264 does not state its frame rate \(its header says \d+, which is not plausible\): set fps',
    ):
        open_video(raw)
    video = open_video(raw, fps=30)
    assert (video.fps, numbers(video), video.num_frames) == (30, list(range(20)), 20)


def test_avi_with_pictures_that_are_decoded_ahead(film, numbers):
    path = film('a.avi', 26, codec_options={'bf': '3', 'b-adapt': '0'})
    video = open_video(path)
    assert numbers(video) == list(range(26))
    assert (video.dropped, video.repeated, video.problem) == (0, 0, None)


def test_slow_motion_has_the_time_in_which_it_was_filmed(film, numbers):
    path = film('a.mp4', 40)
    video = open_video(path, capture_fps=240)
    frames = list(video)
    assert (video.fps, len(frames), video.num_frames, video.repeated) == (240, 40, 40, 0)
    assert frames[-1].time_s == pytest.approx(39 / 240)
    both = open_video(path, fps=60, capture_fps=240)
    assert [frame.picture for frame in both][:4] == [0, 3, 7, 11] or len(list(both)) == 11
    assert list(both)[-1].time_s == pytest.approx(39 / 240, abs=1 / 60)
    lapse = open_video(path, capture_fps=2)  # time lapse
    assert list(lapse)[-1].time_s == pytest.approx(39 / 2)
    only_resampled = open_video(path, fps=240)
    assert list(only_resampled)[-1].time_s == pytest.approx(39 / 30)
    with pytest.raises(ValueError, match=r'capture_fps must be in 0\.\.100000, got 0'):
        open_video(path, capture_fps=0)


def test_pictures_are_numbered_as_they_are_decoded_whatever_the_clock(film):
    path = film('a.mp4', [0, 1, 2, 3, 5, 7, 9, 11, 12, 13])
    for fps in (None, 10.0, 60.0):
        video = open_video(path, fps=fps)
        times = dict(zip(range(10), np.array([0, 1, 2, 3, 5, 7, 9, 11, 12, 13]) / 30, strict=True))
        shown = [frame for frame in video if not frame.repeated]
        assert all(abs(frame.time_s - times[frame.picture]) <= 0.51 / video.fps for frame in shown)
        assert len(shown) == 10 or fps == 10.0
    live = LiveVideo(path)
    assert {frame.picture for frame in live} <= set(range(10))


def test_one_picture_has_a_rate(film):
    video = open_video(film('a.mp4', 1))
    assert len(list(video)) == 1
    assert video.fps > 0


def test_a_long_file_is_looked_at_in_part(film, numbers, monkeypatch):
    path = film('a.mp4', [*range(20), *range(60, 80)])
    joined = path.parent / 'joined.ts'
    joined.write_bytes(film('b.ts', 26).read_bytes() * 2)
    monkeypatch.setattr('posediff.video.packets.MAX_PACKETS', 15)
    video = open_video(path)
    assert (video.fps, len(list(video)), video.num_frames, video.problem) == (30, 80, 80, None)
    video = open_video(joined)
    assert numbers(video) == 2 * list(range(26))
    assert len(video.cuts) == 1
    assert 'truncated' not in video.problem
    avi = open_video(film('c.avi', 26, codec_options={'bf': '3', 'b-adapt': '0'}))
    assert numbers(avi) == list(range(26))
