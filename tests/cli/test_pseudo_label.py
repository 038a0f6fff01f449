"""posediff pseudo-label on a small video, with networks of random weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.video import VideoWriter  # noqa: E402

LENIENT = ['--min-pose-score', '0', '--min-score', '0', '--max-mirror-distance', '9', '--max-time-distance', '9']
POSE = ['--pose', 'movenet-lightning', '--pose-checkpoint', 'random', '--detector', 'whole-frame']

Run = Callable[[Sequence[object]], None]


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    rng = np.random.default_rng(0)
    with VideoWriter(path, 25.0) as writer:
        for _ in range(6):
            writer.write(rng.integers(0, 256, (48, 64, 3), np.uint8))
    return path


@pytest.fixture
def run(cli) -> Run:
    main = cli('pseudo_label').main
    return lambda words: main([str(word) for word in words])


def test_videos_become_a_dataset_once(run, video, tmp_path, capsys):
    videos = [video, video.parent / '..' / video.parent.name / video.name]
    options = ['--tracker-options', 'min_hits=1', '--min-joints', 1]
    words = [*videos, '--out', tmp_path / 'set', *POSE, *LENIENT, *options]
    run(words)
    assert '1 videos labelled, 0 were labelled already' in capsys.readouterr().out
    document = json.loads((tmp_path / 'set/annotations/posetrack18_train.json').read_text())
    assert document['annotations']
    assert all((tmp_path / 'set' / image['file_name']).is_file() for image in document['images'])
    described = json.loads((tmp_path / 'set/dataset.json').read_text())
    assert described['rules'] == {
        'min_score': 0, 'max_mirror_distance': 9, 'max_time_distance': 9, 'reach': 2, 'min_joints': 1,
    }  # fmt: skip
    assert described['pose']['variant'] == 'lightning'
    run(words)
    report = capsys.readouterr().out
    assert '0 videos labelled, 1 were labelled already' in report
    assert 'kept by joint: nose (' in report
    with pytest.raises(SystemExit, match='2'):
        run([*words, '--reach', 3])
    assert 'made with other arguments: rules' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--min-score', '2'], 'min_score must be at most 1'),
        (['--pose', 'movenet-lightning', '--pose-checkpoint', 'nothing.pth'], 'nothing.pth'),
    ],
)
def test_wrong_arguments_are_one_line(words, message, run, video, tmp_path, capsys):
    with pytest.raises(SystemExit, match='2'):
        run([video, 'other.mp4', '--out', tmp_path / 'set', *POSE, *words])
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'set').exists()


def test_boxes_of_one_video_are_not_used_for_another(run, video, tmp_path, capsys):
    boxes, other = tmp_path / 'boxes.txt', tmp_path / 'other.mp4'
    boxes.write_text('1,-1,5,5,40,40,0.9\n')
    shutil.copy(video, other)
    words = ['--out', tmp_path / 'set', *POSE[:4], '--detector', boxes]
    with pytest.raises(SystemExit, match='2'):
        run([video, other, *words])
    assert 'has the boxes of one video' in capsys.readouterr().err
    run([video, *words])
    with pytest.raises(SystemExit, match='2'):
        run([other, *words])
    assert 'has the boxes of one video' in capsys.readouterr().err
    run([video, *words])
    assert '0 videos labelled, 1 were labelled already' in capsys.readouterr().out


def test_files_are_described_by_their_whole_path(cli, tmp_path, monkeypatch):
    module = cli('pseudo_label')
    (tmp_path / 'weights.pth').touch()
    monkeypatch.chdir(tmp_path)
    args = module.parse_args(['a.mp4', '--out', 'set', *POSE[:2], '--pose-checkpoint', 'weights.pth'])
    assert module._settings(args, module.RULES)['pose']['checkpoint'] == str(tmp_path.resolve() / 'weights.pth')


def test_the_mirrored_image_is_seen_without_averaging(cli):
    module = cli('pseudo_label')
    labeller = module._labeller(module.parse_args(['a.mp4', '--out', 'set', *POSE]), module.RULES)
    assert labeller.mirrored.estimator.flip_test is False


def test_a_video_that_does_not_exist_is_one_line(run, tmp_path, capsys):
    with pytest.raises(SystemExit, match='2'):
        run([tmp_path / 'none.mp4', '--out', tmp_path / 'set', *POSE])
    assert 'none.mp4' in capsys.readouterr().err
    assert not (tmp_path / 'set').exists()
