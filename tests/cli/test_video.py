"""posediff video in this process, with small videos, small models and real libraries."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('av')
pytest.importorskip('mmpose')

from posediff.pipeline.pose_writer import PoseWriter  # noqa: E402
from posediff.video import VideoWriter, open_video  # noqa: E402

FRAMES, HEIGHT, WIDTH = 14, 96, 128
LIFTER = """
_base_ = '{repository}/configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py'
model = dict(
    denoiser=dict(num_frames=9, channels=8, num_layers=2, step_channels=8),
    sampler=dict(_delete_=True, type='DDIMSampler'),
    test_cfg=dict(num_hypotheses=2, num_inference_steps=2),
)
"""

Run = Callable[[Sequence[object]], int]


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> Path:
    """Write a video of noise, which is enough for models with random weights."""
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    rng = np.random.default_rng(0)
    with VideoWriter(path, 25.0) as writer:
        for _ in range(FRAMES):
            writer.write(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))
    return path


@pytest.fixture(scope='module')
def boxes(tmp_path_factory) -> Path:
    """Write boxes of two people; the second is missing in frames 6 and 7."""
    entries = [{'frame_index': frame, 'bbox': [8 + frame, 10, 30, 70], 'score': 0.9} for frame in range(FRAMES)]
    entries += [
        {'frame_index': frame, 'bbox': [80, 12, 30, 70], 'score': 0.9} for frame in range(FRAMES) if frame not in (6, 7)
    ]
    path = tmp_path_factory.mktemp('boxes') / 'boxes.json'
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture(scope='module')
def lifter(tmp_path_factory, repository: Path) -> Path:
    path = tmp_path_factory.mktemp('lifter') / 'tiny.py'
    path.write_text(LIFTER.format(repository=repository))
    return path


@pytest.fixture(scope='module')
def run(cli, lifter: Path, exit_code) -> Run:
    module = cli('video')
    common = ['--lifter', lifter, '--lifter-checkpoint', 'random', '--score-threshold', 0]
    common += ['--min-pose-score', 0]  # random networks give low scores
    return lambda words: exit_code(module.main, [str(word) for word in [*words, *common]])


POSE = ['--pose', 'mmpose:rtmpose-t_8xb256-420e_body8-256x192', '--pose-checkpoint', 'random']


def test_boxes_to_people_in_3d(run, video, boxes, tmp_path, capsys):
    out = tmp_path / 'out'
    assert run([video, '--out', out, '--detector', boxes, *POSE, '--export', 'csv,trc', '--smooth', 'gaussian']) == 0
    names = ['overlay.mp4', 'poses.json', 'poses.npz', 'scene.mp4', 'viewer.html']
    tracks = [f'track{track}.{suffix}' for track in (0, 1) for suffix in ('csv', 'export.json', 'trc')]
    assert sorted(path.name for path in out.iterdir()) == sorted([*names, *tracks])
    document = json.loads((out / 'poses.json').read_text())
    assert document['num_frames'] == FRAMES
    assert (document['keypoint_skeleton'], document['skeleton']) == ('coco17', 'cmu17')
    assert document['camera']['source'] == 'assumed'
    assert 'root' in document['joints_made_up']
    seen = {track: [row['frame_index'] for row in document['rows'] if row['track_id'] == track] for track in (0, 1)}
    assert seen == {0: [*range(FRAMES)], 1: [frame for frame in range(FRAMES) if frame not in (6, 7)]}
    overlay = open_video(out / 'overlay.mp4')
    assert (len(list(overlay)), overlay.img_shape) == (FRAMES, (HEIGHT, WIDTH))
    scene = open_video(out / 'scene.mp4')
    assert (len(list(scene)), scene.img_shape) == (FRAMES, (HEIGHT, WIDTH + HEIGHT))
    assert 'frames a second' not in capsys.readouterr().err

    assert run([video, '--out', out, '--detector', boxes, *POSE]) == 2
    assert 'holds results: --overwrite replaces them' in capsys.readouterr().err
    words = ['--overwrite', '--fill', '--no-overlay', '--no-scene']
    assert run([video, '--out', out, '--detector', boxes, *POSE, *words]) == 0
    again, steady = tmp_path / 'again', tmp_path / 'steady.npz'
    with np.load(out / 'poses.npz') as arrays:
        rows = dict(arrays)
    corners, shape = rows['box'].reshape(-1, 2, 2), np.random.default_rng(0).uniform(0, 1, (17, 2))
    rows['keypoints_2d'] = corners[:, :1] + shape * (corners[:, 1:] - corners[:, :1])  # poses of random networks jump
    np.savez(steady, **rows)
    words = ['--keypoints', steady, '--no-overlay', '--no-scene', '--keep-sides']
    assert run([video, '--out', again, *words]) == 0
    found = json.loads((again / 'poses.json').read_text())['rows']
    assert {(row['frame_index'], row['track_id']) for row in found} == {
        (frame, track) for track, frames in seen.items() for frame in frames
    }
    with np.load(out / 'poses.npz') as arrays:
        missed = arrays['frame_index'][(arrays['track_id'] == 1) & ~arrays['observed']]
    assert missed.tolist() == [6, 7]


def test_a_detector_of_mmdetection_drives_the_whole_tool(run, video, tmp_path):
    out = tmp_path / 'out'
    words = [video, '--out', out, '--detector', 'mmdet:rtmdet_tiny_8xb32-300e_coco', '--detector-checkpoint', 'random']
    words += ['--max-frames', 1, '--no-overlay', '--no-scene']  # random weights find hundreds of people in each
    assert run([*words, *POSE]) in (0, 1)  # random weights may give no pose
    assert json.loads((out / 'poses.json').read_text())['num_frames'] == 1


def test_ctrl_c_leaves_whole_files_of_what_was_done_and_the_run_goes_on(
    run, video, boxes, tmp_path, monkeypatch, capsys
):
    from posediff.video import VideoSource

    frames = VideoSource.frames

    def interrupted(self, start=0):
        for frame in frames(self, start):
            if frame.index == 10:
                signal.raise_signal(signal.SIGINT)
            yield frame

    monkeypatch.setattr(VideoSource, 'frames', interrupted)
    out = tmp_path / 'out'
    words = ['--batch-size', 1, '--no-overlay', '--no-scene']
    assert run([video, '--out', out, '--detector', boxes, *POSE, *words]) == 130
    assert 'stopped after' in capsys.readouterr().err
    document = json.loads((out / 'poses.json').read_text())
    assert document['num_frames'] == 10
    assert len(document['rows']) == document['num_rows'] > 0
    monkeypatch.undo()

    assert run([video, '--out', out, '--detector', 'whole-frame', *POSE, *words, '--resume']) == 2
    assert 'was started with detector' in capsys.readouterr().err
    looked = []
    monkeypatch.setattr(VideoSource, 'frames', lambda self, start=0: looked.append(start) or frames(self, start))
    assert run([video, '--out', out, '--detector', boxes, *POSE, *words, '--resume']) == 0
    assert looked == [10]
    whole = tmp_path / 'whole'
    assert run([video, '--out', whole, '--detector', boxes, *POSE, *words]) == 0
    with np.load(out / 'poses.npz') as resumed, np.load(whole / 'poses.npz') as unbroken:
        assert len(resumed['frame_index']) > document['num_rows']
        for name in unbroken.files:
            np.testing.assert_array_equal(resumed[name], unbroken[name], err_msg=name)
    assert not list(out.glob('.*'))
    assert run([video, '--out', out, '--detector', boxes, *POSE, *words, '--resume']) == 2
    assert 'nothing to resume' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['nowhere.mp4'], 'video nowhere.mp4 does not exist'),
        (['{video}', '--detector', 'yolo'], '--detector yolo is neither'),
        (['{video}', '--detector', 'no.json'], 'boxes file no.json does not exist'),
        (['{video}', '--detector', 'mmdet:rtmdet'], "mmdet has no model 'rtmdet'; names with it: rtmdet"),
        (['{video}', '--pose', 'openpose'], '--pose openpose is neither'),
        (['{video}', '--pose', 'mmpose:human', '--pose-checkpoint', 'no.pth'], 'checkpoint no.pth of human does not'),
        (['{video}', '--pose', 'configs/no.py'], 'needs --pose-checkpoint'),
        (['{video}', '--detector', 'whole-frame', '--detector-checkpoint', 'a.pth'], 'has no use'),
        (['{video}', '--keypoints', 'no.npz'], 'keypoints file no.npz does not exist'),
        (['{video}', '--keypoints', 'a.npz', '--pose', 'mediapipe'], '--pose mediapipe has no use beside --keypoints'),
        (
            ['{video}', '--calibration', 'no.toml', '--detector', 'whole-frame', *POSE],
            'calibration file no.toml does not',
        ),
        (['{video}', '--camera', 'left', '--detector', 'whole-frame', *POSE], '--camera left needs --calibration'),
        (['{video}', '--height', '175', '--detector', 'whole-frame', *POSE], 'state it in metres'),
        (['{video}', '--skeleton', 'coco17'], '--skeleton coco17 needs --keypoints'),
        (['{video}', '--focal', '-3', '--detector', 'whole-frame', *POSE], 'focal must be a positive length'),
        (['{video}', '--export', 'csv,fbx'], "unknown export format: 'fbx'; known"),
        (['{video}', '--fps', '0'], 'fps must be in 0..1000, got 0'),
    ],
)
def test_what_makes_no_sense_is_one_line_and_leaves_nothing(run, video, tmp_path, capsys, words, said):
    out = tmp_path / 'out'
    assert run([*(word.format(video=video) for word in words), '--out', out]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert 'Traceback' not in error
    assert not out.exists() or not list(out.iterdir())


def test_nobody_is_said_and_is_no_success(run, video, tmp_path, capsys):
    empty = tmp_path / 'none.json'
    empty.write_text('[]')
    assert run([video, '--out', tmp_path / 'out', '--detector', empty, *POSE]) == 1
    assert 'no person was found' in capsys.readouterr().err
    assert json.loads((tmp_path / 'out' / 'poses.json').read_text())['rows'] == []


def test_live_keeps_up_with_a_file_at_its_own_speed(run, video, boxes, tmp_path, capsys):
    out = tmp_path / 'out'
    assert run([video, '--out', out, '--live', '--detector', 'whole-frame', *POSE, '--export', 'csv']) == 0
    with np.load(out / 'poses.npz') as poses:
        live = json.loads(str(poses['live']))
        frames, times = poses['frame_index'], poses['time_s']
        assert live['video_fps'] == 25.0
        assert len(np.unique(frames)) + live['frames_left_out'] <= FRAMES
        # numbered in order of processing, with the time of each frame
        shown = np.unique(frames)
        assert (np.diff(shown) == 1).all()
        assert times.max() <= (FRAMES - 1) / 25
        if len(shown) > 2:
            assert float(poses['fps']) <= 25.0 + 1e-6
    assert not (out / 'overlay.mp4').exists()
    assert (out / 'viewer.html').exists()
    for option in ('--fill', '--resume'):
        assert run([video, '--out', tmp_path / 'other', '--live', option, '--detector', boxes, *POSE]) == 2
        assert option in capsys.readouterr().err


def test_a_full_disk_ends_in_one_line_and_leaves_nothing_half_written(run, video, boxes, tmp_path, capsys, monkeypatch):
    resource = pytest.importorskip('resource')
    out, limits = tmp_path / 'out', resource.getrlimit(resource.RLIMIT_FSIZE)
    begin = PoseWriter.__init__

    def begin_on_a_full_disk(*arguments):
        begin(*arguments)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))

    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(PoseWriter, '__init__', begin_on_a_full_disk)
            code = run([video, '--out', out, '--detector', boxes, *POSE])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert code == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith(f'error: {out}: File too large; --resume continues once there is room')
    assert [path.name for path in out.iterdir() if not path.name.startswith('.')] == []
    assert run([video, '--out', out, '--resume', '--detector', boxes, *POSE, '--no-scene']) == 0
    assert {path.name for path in out.iterdir()} == {'poses.npz', 'poses.json', 'viewer.html', 'overlay.mp4'}


def test_a_joined_slow_motion_video_with_keypoints_by_picture(run, tmp_path, capsys):
    """Keypoints of a picture get its recording time; the cut is reported once and listed in the file."""
    import av

    part = tmp_path / 'part.ts'
    with av.open(str(part), 'w') as file:
        stream = file.add_stream('libx264', rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 30)
        for time in (0, 1, 2, 3, 5, 7, 9, 10):
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), format='rgb24')
            frame.pts, frame.time_base = time, Fraction(1, 30)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    clip = tmp_path / '12:30 joined.ts'
    clip.write_bytes(part.read_bytes() * 2)
    shape = np.random.default_rng(0).uniform(10, 80, (17, 2))
    entries = [
        {'image_id': picture, 'keypoints': np.column_stack([shape + picture, np.ones(17)]).ravel().tolist()}
        for picture in range(16)
    ]
    (tmp_path / 'people.json').write_text(json.dumps([{**one, 'category_id': 1, 'score': 0.9} for one in entries]))
    out = tmp_path / 'out: 1'
    words = ['--keypoints', tmp_path / 'people.json', '--skeleton', 'coco17', '--keep-sides', '--capture-fps', 120]
    assert run([clip, '--out', out, *words]) == 0
    told = capsys.readouterr().err
    assert told.count('time stamps jump') == 1
    document = json.loads((out / 'poses.json').read_text())
    assert (document['fps'], document['capture_fps'], document['num_frames']) == (120, 120, 22)
    assert document['cuts']['frame_index'] == [11]
    shown = {round(row['keypoints_2d'][0][0] - shape[0, 0]): row['frame_index'] for row in reversed(document['rows'])}
    ticks = [0, 1, 2, 3, 5, 7, 9, 10]
    assert shown == dict(enumerate([*ticks, *(11 + tick for tick in ticks)]))
    assert all(row['time_s'] == pytest.approx(row['frame_index'] / 120, abs=1e-6) for row in document['rows'])
    assert {path.name for path in out.iterdir()} >= {'overlay.mp4', 'scene.mp4'}
