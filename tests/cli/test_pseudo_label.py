"""posediff pseudo-label on a small video, with networks of random weights."""

from __future__ import annotations

import json
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
    words = [video, '--out', tmp_path / 'set', *POSE, *LENIENT, '--tracker-options', 'min_hits=1', '--min-joints', 1]
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
        (['--detector', __file__], 'but 2 videos are named'),
    ],
)
def test_wrong_arguments_are_one_line(words, message, run, video, tmp_path, capsys):
    with pytest.raises(SystemExit, match='2'):
        run([video, 'other.mp4', '--out', tmp_path / 'set', *POSE, *words])
    assert message in capsys.readouterr().err


def test_a_video_that_does_not_exist_is_one_line(run, tmp_path, capsys):
    with pytest.raises(SystemExit, match='2'):
        run([tmp_path / 'none.mp4', '--out', tmp_path / 'set', *POSE])
    assert 'none.mp4' in capsys.readouterr().err
