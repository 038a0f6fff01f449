"""A video of two people with FMPose3D's config at tiny size, and the commands that lift."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.cli import lift  # noqa: E402
from posediff.pipeline import VideoPoseInferencer  # noqa: E402

FRAMES = 8


@pytest.fixture(scope='module')
def config(tmp_path_factory, repository):
    path = tmp_path_factory.mktemp('lifter') / 'tiny.py'
    path.write_text(
        f"_base_ = '{repository}/configs/lifting_3d/fmpose3d/fmpose3d_1f_h36m.py'\n"
        'model = dict(denoiser=dict(channels=16, num_layers=1), test_cfg=dict(num_hypotheses=4))\n'
    )
    return path


@pytest.fixture
def people(save_keypoints, filmed):
    walks = filmed(FRAMES, aside=-600.0), filmed(FRAMES, aside=700.0)
    return save_keypoints([(frame, walk[frame], np.ones(17)) for frame in range(FRAMES) for walk in walks])


def test_two_people_of_a_video_are_lifted(config, people, grey_video):
    source = {'path': people, 'skeleton': 'h36m17'}
    inferencer = VideoPoseInferencer(
        detector={'type': 'KeypointsFileDetector', **source},
        pose_estimator={'type': 'KeypointsFileEstimator', **source},
        lifter=(config, 'random'),
    )
    results = list(inferencer(grey_video(FRAMES)))
    assert [len(result.people) for result in results] == [2] * FRAMES
    assert len({person.track_id for result in results for person in result.people}) == 2
    for person in (person for result in results for person in result.people):
        assert person.joints_3d.shape == (17, 3)
        assert np.isfinite(person.joints_3d).all()
        assert person.joints_3d_std[1:].min() > 0


def test_the_command_lifts_a_file_of_keypoints(config, tmp_path, exit_code, capsys):
    words = ['--lifter', str(config), '--no-animation']
    poses = []
    for focal in ([], ['--focal', '1500']):
        out = tmp_path / f'out{len(focal)}'
        assert exit_code(lift.main, [*words, '--out', str(out), *focal]) == 0
        poses.append(json.loads((out / 'poses.json').read_text()))
    assert poses[0]['skeleton'] == 'h36m17'
    assert np.shape(poses[0]['joints_3d'])[1:] == (17, 3)
    assert np.abs(np.subtract(poses[0]['joints_3d'], poses[1]['joints_3d'])).max() > 0
    assert exit_code(lift.main, [*words, '--out', str(tmp_path / 'no'), '--focal', '1']) == 2
    assert 'focal length of 1 px' in capsys.readouterr().err
