"""Keypoint files of other programs in posediff video and lift: track ids, misfits, choice of the person."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.video import VideoWriter  # noqa: E402

FRAMES, HEIGHT, WIDTH = 8, 96, 128
LIFTER = """
_base_ = '{repository}/configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py'
model = dict(
    denoiser=dict(num_frames=9, channels=8, num_layers=2, step_channels=8),
    sampler=dict(_delete_=True, type='DDIMSampler'),
    test_cfg=dict(num_hypotheses=1, num_inference_steps=1),
)
"""

Run = Callable[..., int]


@pytest.fixture(scope='module')
def lifter(tmp_path_factory: Any, repository: Path) -> Path:
    path = tmp_path_factory.mktemp('lifter') / 'tiny.py'
    path.write_text(LIFTER.format(repository=repository))
    return path


@pytest.fixture(scope='module')
def run(cli: Any, lifter: Path, exit_code: Any, tmp_path_factory: Any) -> Run:
    """Return a function that runs posediff video on a grey video."""
    video = tmp_path_factory.mktemp('video') / 'clip.mp4'
    with VideoWriter(video, 25.0) as writer:
        for _ in range(FRAMES):
            writer.write(np.full((HEIGHT, WIDTH, 3), 99, np.uint8))
    module = cli('video')
    common = ['--lifter', lifter, '--lifter-checkpoint', 'random', '--no-overlay', '--no-scene', '--overwrite']
    return lambda *words: exit_code(module.main, [str(word) for word in [video, *words, *common]])


def rows(ids: tuple[Any, Any] = (None, None), first: int = 0, number: int = FRAMES) -> list[dict[str, Any]]:
    """Return COCO results of two people side by side, whose order alternates from frame to frame."""
    shape = np.random.default_rng(0).uniform(0, 1, (17, 2)) * [30, 70]
    found = []
    for frame in range(number):
        people = [(ids[0], 10 + frame), (ids[1], 80 - frame)]
        for track, left in people[:: 1 if frame % 2 else -1]:
            points = np.concatenate([shape + [left, 12], np.full((17, 1), 0.9)], -1)
            one = {'image_id': frame + first, 'keypoints': points.ravel().tolist()}
            found.append(one if track is None else one | {'track_id': track})
    return found


def write(folder: Path, document: Any) -> Path:
    path = folder / 'keypoints.json'
    path.write_text(json.dumps(document))
    return path


def seen(out: Path) -> dict[int, list[int]]:
    with np.load(out / 'poses.npz') as arrays:
        tracks, frames = arrays['track_id'], arrays['frame_index']
        lefts = arrays['box'][:, 0]
    for track in np.unique(tracks):
        assert np.ptp(lefts[tracks == track]) < 12  # no track jumps to the other person
    return {int(track): frames[tracks == track].tolist() for track in np.unique(tracks)}


def test_ids_of_a_file_are_kept(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    every = list(range(FRAMES))
    out = tmp_path / 'out'
    words = ['--out', out, '--skeleton', 'coco17', '--keypoints']
    assert run(*words, write(tmp_path, rows((12, 5)))) == 0
    assert seen(out) == {5: every, 12: every}
    document = json.loads((out / 'poses.json').read_text())
    assert document['tracker'] == 'GivenIdsTracker'
    with np.load(out / 'poses.npz') as arrays:
        assert (arrays['box'][arrays['track_id'] == 12][:, 0] < 40).all()
    assert run(*words, write(tmp_path, rows((12, 5))), '--tracker', 'pose') == 0
    assert seen(out) == {0: every, 1: every}
    assert run(*words, write(tmp_path, rows(('ann', 'bob')))) == 0
    assert seen(out) == {0: every, 1: every}
    names = json.loads((out / 'poses.json').read_text())['track_names']
    assert sorted(names.values()) == ['ann', 'bob']
    assert 'track ids are 0: ' in capsys.readouterr().err


def test_people_without_an_id_are_tracked_beside_the_others(run: Run, tmp_path: Path) -> None:
    every = list(range(FRAMES))
    out = tmp_path / 'out'
    assert run('--out', out, '--skeleton', 'coco17', '--keypoints', write(tmp_path, rows((12, None)))) == 0
    assert seen(out) == {12: every, 13: every}


def test_what_does_not_fit_the_video(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'out'
    words = ['--out', out, '--skeleton', 'coco17', '--keypoints']
    assert run(*words, write(tmp_path, rows(first=1))) == 2
    assert 'seem to count from 1; use --first-frame 1 if so' in capsys.readouterr().err
    assert not out.exists()
    assert run(*words, write(tmp_path, rows(first=1)), '--first-frame', '1') == 0
    assert seen(out)[0] == list(range(FRAMES))
    assert run(*words, write(tmp_path, rows(number=FRAMES + 3))) == 0
    assert f'6 poses at frames {FRAMES}.. lie after the last frame ({FRAMES - 1})' in capsys.readouterr().err
    assert run(*words, write(tmp_path, rows(first=FRAMES + 2))) == 2
    error = capsys.readouterr().err
    assert f'16 poses at frames {FRAMES + 2}.. lie after the last frame ({FRAMES - 1})' in error
    assert not list(out.glob('.*'))
    far = rows()
    for one in far:
        one['keypoints'][::3] = [value + 3000 for value in one['keypoints'][::3]]
    assert run(*words, write(tmp_path, far)) == 2
    assert '16 of 16 poses lie outside the picture' in capsys.readouterr().err


def test_times_in_a_file_place_its_frames(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file has landmarks of the last 5 of 8 pictures, with their times."""
    rng = np.random.default_rng(0)
    places = rng.uniform([0.2, 0.1], [0.7, 0.9], (33, 2))
    marks = [{'x': x, 'y': y, 'z': 0, 'visibility': 0.9} for x, y in places.tolist()]
    document = [{'timestamp_ms': 40 * frame, 'pose_landmarks': [marks]} for frame in range(3, FRAMES)]
    out = tmp_path / 'out'
    assert run('--out', out, '--keypoints', write(tmp_path, document)) == 0
    assert seen(out) == {0: list(range(3, FRAMES))}
    assert 'its time stamps give 25 fps' in capsys.readouterr().err
    assert run('--out', out, '--keypoints', write(tmp_path, document), '--capture-fps', '100') == 2
    assert '--capture-fps 100: the frames of' in capsys.readouterr().err


def test_keypoints_of_a_run_at_another_rate_are_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / 'first', tmp_path / 'second'
    words = ['--skeleton', 'coco17', '--keypoints', write(tmp_path, rows((12, 5)))]
    assert run('--out', first, '--fps', '12.5', *words) == 0
    assert run('--out', second, '--keypoints', first / 'poses.npz') == 2
    assert 'of a run at 12.5 fps, the video is read at 25: --fps 12.5' in capsys.readouterr().err
    assert run('--out', second, '--keypoints', first / 'poses.npz', '--fps', '12.5') == 0
    assert seen(second) == seen(first)


def test_flags_of_keypoints_need_keypoints(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run('--out', tmp_path / 'out', '--first-frame', '1') == 2
    assert '--first-frame 1 needs --keypoints' in capsys.readouterr().err


def test_one_person_of_several_is_lifted(
    cli: Any, lifter: Path, exit_code: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = cli('lift')

    def lift(document: Any, *words: Any) -> int:
        common = ['--keypoints', write(tmp_path, document), '--out', tmp_path / 'out', '--config', lifter]
        common += ['--skeleton', 'coco17', '--fps', 25, '--image-size', f'{WIDTH}x{HEIGHT}', '--no-animation']
        return exit_code(module.main, [str(word) for word in [*common, *words]])

    assert lift(rows(('ann', 'bob'))) == 2
    assert 'holds several people: bob (8 frames), ann (8 frames); select one with --person' in capsys.readouterr().err
    assert lift(rows(('ann', 'bob')), '--person', 'eve') == 2
    assert "there is no person 'eve' (--person)" in capsys.readouterr().err
    assert lift(rows()) == 2
    assert '2 people in frame 0 without track ids' in capsys.readouterr().err
    assert lift(rows(('ann', 'bob'), first=3), '--person', 'ann') == 0
    document = json.loads((tmp_path / 'out' / 'poses.json').read_text())
    assert (document['num_frames'], document['first_frame']) == (FRAMES, 3)


def test_people_in_every_second_picture_are_found(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'a.json').write_text(json.dumps([one for one in rows() if one['image_id'] % 2 == 0]))
    words = ['--keypoints', tmp_path / 'a.json', '--skeleton', 'coco17', '--out', tmp_path / 'o']
    assert run(*words) == 0
    assert 'most of its frames (0, 2, 4, …) have no person in the frames before and after' in capsys.readouterr().err
    with np.load(tmp_path / 'o' / 'poses.npz') as found:
        assert sorted(set(found['frame_index'].tolist())) == [0, 2, 4, 6]
        assert len(set(found['track_id'].tolist())) == 2
