"""A person filmed from the hips up: the unobserved legs in the results of posediff video."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.structures.skeletons import COCO17, get_skeleton  # noqa: E402

FRAMES, SHAPE = 12, (96, 128)
LEGS = {'left_knee', 'right_knee', 'left_foot', 'right_foot'}
BELOW = [number for number, name in enumerate(COCO17.joint_names) if name.endswith(('knee', 'ankle'))]


@pytest.fixture
def run(exit_code, cli, tiny_lifter, grey_video, save_keypoints, tmp_path):
    """Run the command on a clip whose keypoints end at, or extend below, the lower edge; return the result folder."""
    rng = np.random.default_rng(0)
    points = rng.uniform([40, 10], [90, 80], (17, 2)) + rng.normal(0, 0.3, (FRAMES, 17, 2))
    points[:, BELOW, 1] += 96  # below the image
    scores = np.ones(17)
    video = grey_video(FRAMES)
    tool = cli('video')

    def work(leg_scores: float, *more):
        scores[BELOW] = leg_scores
        keypoints = save_keypoints([(frame, one, scores) for frame, one in enumerate(points)])
        words = [video, '--keypoints', keypoints, '--skeleton', 'coco17', '--out', tmp_path / 'out', '--overwrite']
        words += ['--lifter', tiny_lifter, '--lifter-checkpoint', 'random', '--export', 'csv,trc,bvh,c3d', *more]
        return exit_code(tool.main, [str(word) for word in words]), tmp_path / 'out'

    return work


@pytest.mark.parametrize('leg_scores', [0.1, 0.9])
def test_legs_outside_the_picture_are_marked_in_every_file(run, leg_scores):
    code, out = run(leg_scores, '--no-scene')
    assert code == 0
    with np.load(out / 'poses.npz', allow_pickle=False) as arrays:
        names = np.array(get_skeleton(str(arrays['skeleton'])).joint_names)
        expected = np.array([name not in LEGS for name in names.tolist()])
        assert arrays['joint_observed'].shape == (FRAMES, 17)
        assert (arrays['joint_observed'] == expected).all()
        assert np.isfinite(arrays['joints_3d']).all()
    document = json.loads((out / 'poses.json').read_text())
    assert all(row['joint_observed'] == expected.tolist() for row in document['rows'])
    with (out / 'track0.csv').open(newline='') as file:
        row = next(csv.DictReader(file))
    assert {name for name in names.tolist() if row[f'{name}_observed'] == '0'} == LEGS
    about = json.loads((out / 'track0.export.json').read_text())
    assert set(about['never_seen_joints']) == LEGS


def test_on_request_they_are_left_out_of_every_file(run, capsys):
    ezc3d = pytest.importorskip('ezc3d')
    code, out = run(0.9, '--seen-joints-only')
    assert code == 0
    assert (out / 'scene.mp4').exists()
    with np.load(out / 'poses.npz', allow_pickle=False) as arrays:
        unseen = ~arrays['joint_observed']
        names = get_skeleton(str(arrays['skeleton'])).joint_names
        assert unseen.sum() == 4 * FRAMES
        for name in ('joints_3d', 'joints_3d_std'):
            finite = np.isfinite(arrays[name].reshape(FRAMES, 17, -1)).all(-1)
            np.testing.assert_array_equal(finite, ~unseen)
    document = json.loads((out / 'poses.json').read_text())
    assert document['seen_joints_only'] is True
    knee = names.index('left_knee')
    assert document['rows'][3]['joints_3d'][knee] == [None, None, None]
    with (out / 'track0.csv').open(newline='') as file:
        assert next(csv.DictReader(file))['left_knee_x_mm'] == ''
    cells = (out / 'track0.trc').read_text().splitlines()[5].split('\t')
    assert cells[2 + 3 * knee : 5 + 3 * knee] == ['', '', '']
    residuals = ezc3d.c3d(str(out / 'track0.c3d'))['data']['meta_points']['residuals'][0]
    assert (residuals[knee] == -1).all()
    hierarchy = (out / 'track0.bvh').read_text()
    assert 'right_hip' in hierarchy
    assert 'knee' not in hierarchy
    assert run(0.9, '--seen-joints-only', '--fill')[0] == 2
    assert '--fill writes frames without keypoints' in capsys.readouterr().err
