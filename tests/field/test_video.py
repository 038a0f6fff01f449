"""Videos as people bring them."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.detection.keypoints_file import KeypointsFileDetector  # noqa: E402
from posediff.pose_estimation.base import FrameWindow  # noqa: E402
from posediff.pose_estimation.keypoints_file import KeypointsFileEstimator  # noqa: E402
from posediff.video import open_video  # noqa: E402


def test_colon_in_video_name(field_case, monkeypatch):
    monkeypatch.chdir(field_case('colon-in-video-name'))
    for name in ('2024-01-01T12:30:00.mp4', './2024-01-01T12:30:00.mp4'):
        assert len(list(open_video(name))) == 40


def test_cover_art_first_stream(field_case):
    video = open_video(field_case('cover-art-first-stream') / 'with_cover.mp4')
    assert (video.fps, len(list(video)), video.num_frames, video.problem) == (30, 40, 40, None)
    assert video.img_shape == (96, 160)


def test_joined_transport_stream(field_case):
    video = open_video(field_case('joined-transport-stream') / 'joined.ts')
    frames = list(video)
    assert [frame.picture for frame in frames] == list(range(80))
    assert (video.num_frames, video.dropped, video.repeated) == (80, 0, 0)
    assert 'jump' in video.problem
    halves = [np.stack([frame.image for frame in half]).astype(int) for half in (frames[:40], frames[40:])]
    assert np.abs(halves[0] - halves[1]).mean() < 3  # both are the same film


def test_mirrored_phone_video(field_case):
    image = next(iter(open_video(field_case('mirrored-phone-video') / 'selfie.mp4'))).image.astype(int)
    blue, red, grey = image[5, 5], image[5, -6], image[-6, 5]
    assert blue[2] > 150 > 80 > blue[:2].max()
    assert red[0] > 150 > 80 > red[1:].max()
    assert np.ptp(grey) < 20


def test_sequence_not_padded(field_case):
    folder = field_case('sequence-not-padded') / 'frames'
    assert [path.stem for path in open_video(folder, 30.0).images] == [f'frame_{number}' for number in range(1, 13)]


def test_slow_motion_fps(field_case):
    video = open_video(field_case('slow-motion-fps') / 'filmed_at_240_saved_at_30.mp4', capture_fps=240)
    frames = list(video)
    assert (video.fps, len(frames), video.repeated) == (240, 40, 0)
    assert frames[-1].time_s + 1 / 240 == pytest.approx(0.167, abs=1e-3)


def test_vfr_and_keypoints(field_case):
    """Keypoints of picture n come at the time of picture n, whatever the rate that the video is read at."""
    folder = field_case('vfr-and-keypoints')
    file = {'path': folder / 'keypoints_by_picture.json', 'skeleton': 'coco17'}
    detector, estimator = KeypointsFileDetector(**file), KeypointsFileEstimator(**file)
    entries = json.loads((folder / 'keypoints_by_picture.json').read_text())
    times = np.concatenate([np.arange(21) / 30, 20 / 30 + np.arange(1, 20) / 15])
    for fps in (None, 60.0):
        video = open_video(folder / 'phone_vfr.mp4', fps=fps)
        shown = [frame for frame in video if not frame.repeated]
        assert [frame.picture for frame in shown] == list(range(40))
        assert np.abs(np.array([frame.time_s for frame in shown]) - times).max() < 1e-6
        for frame in shown:
            (people,) = detector([frame])
            (poses,) = estimator([FrameWindow((frame,), people)])
            given = [
                np.reshape(entry['keypoints'], (-1, 3))[:, :2]
                for entry in entries
                if entry['image_id'] == frame.picture
            ]
            assert len(poses) > 0
            for keypoints, scores in zip(poses.keypoints_2d, poses.keypoint_scores, strict=True):
                assert min(np.abs(keypoints - other)[scores > 0].max() for other in given) < 1e-2
    assert shown[-1].time_s == pytest.approx(1.933, abs=1e-3)


def test_webm_1000_fps(field_case):
    video = open_video(field_case('webm-1000-fps') / 'browser.webm')
    frames = list(video)
    assert 24 < video.fps < 33
    assert len({frame.picture for frame in frames}) == 40
    assert frames[-1].time_s == pytest.approx(1.55, abs=0.04)
    assert '1000 fps' in video.notes[0]
