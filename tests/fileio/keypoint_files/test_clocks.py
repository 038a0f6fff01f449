"""Frames of keypoint files that do not correspond to pictures one-to-one are assigned by time, or are an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posediff.fileio.keypoint_files import read_keypoint_file
from posediff.fileio.keypoint_files.clocks import VideoClock, check_clock, is_by_time
from posediff.fileio.keypoint_files.record import KeypointRecord
from posediff.fileio.pose_files import read_keypoints
from posediff.structures.video_frame import VideoFrame

SIZE = (96, 128)
AT_30 = VideoClock(fps=30, picture_fps=30, num_pictures=60, length_s=2.0)


def landmarks(folder: Path, milliseconds: list[float]) -> Path:
    """Write MediaPipe landmarks with a time for each frame."""
    marks = [{'x': 0.3, 'y': 0.1 + joint / 50, 'z': 0, 'visibility': 0.9} for joint in range(33)]
    path = folder / 'landmarks.json'
    path.write_text(json.dumps([{'timestamp_ms': time, 'pose_landmarks': [marks]} for time in milliseconds]))
    return path


def at_rate(fps: float, number: int, start: float = 0) -> list[float]:
    return [round(start + 1000 * frame / fps) for frame in range(number)]


def shown(record: KeypointRecord, frames: int, fps: float) -> list[int]:
    image = np.zeros((*SIZE, 3), np.uint8)
    return [number for number in range(frames) if record.at(VideoFrame(number, number / fps, image))]


@pytest.mark.parametrize(
    ('milliseconds', 'by_time'),
    [
        (at_rate(30, 60), False),
        (at_rate(30, 60, start=33), False),  # counted from 1
        (at_rate(24, 60), False),  # one per picture of a video with variable frame rate
        (at_rate(30, 20), False),  # the start of the video
        (at_rate(15, 30), True),  # every second picture
        (at_rate(30, 30, start=1000), True),  # the second half
    ],
)
def test_even_times_are_compared_with_the_video(tmp_path: Path, milliseconds: list[float], by_time: bool) -> None:
    record = read_keypoint_file(landmarks(tmp_path, milliseconds), img_shape=SIZE)
    assert record.clock == 'picture'
    assert is_by_time(record, AT_30) == by_time


def test_frames_are_placed_by_time_on_request(tmp_path: Path) -> None:
    path = landmarks(tmp_path, at_rate(30, 30, start=1000))
    assert shown(read_keypoint_file(path, img_shape=SIZE), 60, 30) == list(range(30))
    assert shown(read_keypoint_file(path, img_shape=SIZE, by_time=True), 60, 30) == list(range(30, 60))
    with pytest.raises(ValueError, match=r'placed by their times.*--first-frame 1'):
        read_keypoint_file(path, img_shape=SIZE, by_time=True, first_frame=1)
    rows = [{'image_id': 0, 'keypoints': [30.0, 40.0, 0.9] * 17}]
    (tmp_path / 'rows.json').write_text(json.dumps(rows))
    with pytest.raises(ValueError, match=r'rows.json has no times'):
        read_keypoint_file(tmp_path / 'rows.json', 'coco17', by_time=True)


def test_times_that_begin_behind_the_video_are_refused(tmp_path: Path) -> None:
    record = read_keypoint_file(landmarks(tmp_path, [5000, 5033, 5200]), img_shape=SIZE)
    with pytest.raises(ValueError, match=r'its times begin at 5.000 s, after the end of the video at 2.000 s'):
        check_clock(record, AT_30)


def test_frames_of_a_run_at_another_rate_are_refused(tmp_path: Path) -> None:
    def record(**more: Any) -> KeypointRecord:
        points = np.random.default_rng(0).uniform(10, 90, (5, 17, 2)).astype(np.float32)
        np.savez(tmp_path / 'poses.npz', keypoints_2d=points, skeleton='coco17', img_shape=SIZE, **more)
        return read_keypoint_file(tmp_path / 'poses.npz')

    run = record(joints_3d=np.zeros((5, 17, 3)), fps=10.0)
    with pytest.raises(ValueError, match=r'of a run at 10 fps, the video is read at 30: --fps 10.0'):
        check_clock(run, AT_30)
    assert check_clock(run, VideoClock(fps=10, picture_fps=30)) is None
    told = check_clock(record(fps=15.0), AT_30)
    assert told is not None
    assert 'states 15 fps, the video has 30 fps' in told
    assert check_clock(record(fps=15.0), VideoClock(30, 30, num_pictures=5)) is None
    assert check_clock(record(), AT_30) is None


def test_frames_of_a_live_run_are_placed_by_time(tmp_path: Path) -> None:
    seconds = np.array([0.0, 0.2, 0.3, 0.7])
    points = np.random.default_rng(0).uniform(10, 90, (4, 17, 2)).astype(np.float32)
    about: dict[str, Any] = {'fps': 4.29, 'img_shape': list(SIZE), 'keypoint_skeleton': 'coco17'}
    rows = [
        {'frame_index': number, 'time_s': time, 'track_id': 3, 'keypoints_2d': pose.tolist(),
         'keypoint_scores': [1.0] * 17}
        for number, (time, pose) in enumerate(zip(seconds.tolist(), points, strict=True))
    ]  # fmt: skip
    (tmp_path / 'poses.json').write_text(json.dumps({**about, 'live': {'video_fps': 10.0}, 'rows': rows}))
    arrays = {'keypoints_2d': points, 'joints_3d': np.zeros((4, 17, 3)), 'frame_index': np.arange(4)}
    np.savez(tmp_path / 'poses.npz', **arrays, **about, time_s=seconds, track_id=np.full(4, 3), live='{}')
    for name in ('poses.json', 'poses.npz'):
        record = read_keypoint_file(tmp_path / name)
        assert check_clock(record, VideoClock(fps=10, picture_fps=10)) is None
        assert shown(record, 8, 10) == [0, 1, 2, 3, 6, 7]  # the nearest, if it is near enough
        assert record.has_track_ids


def test_no_frame_of_a_clip_is_lost_at_a_lower_rate(tmp_path: Path) -> None:
    uneven = [time for frame, time in enumerate(at_rate(30, 60)) if frame not in (10, 11, 12)]
    path = landmarks(tmp_path, uneven)
    clip = read_keypoints(path, fps=30, img_shape=SIZE)
    assert (clip.keypoint_scores > 0).any(1).sum() == 57
    with pytest.raises(ValueError, match=r'at fps 15 several of its frames are frame \d+ .* about 30.* fps'):
        read_keypoints(path, fps=15, img_shape=SIZE)
    with pytest.raises(ValueError, match='its time stamps give 30 fps, not 25'):
        read_keypoints(landmarks(tmp_path, at_rate(30, 61)), fps=25, img_shape=SIZE)
