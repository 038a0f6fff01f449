"""posediff lift with a tiny random lifter: files, output and errors."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import posediff
from posediff.assets import DEMO_KEYPOINTS, LIFTER_CONFIG
from posediff.structures.skeletons import CMU17, COCO17

CONFIG = """
default_scope = 'posediff'
model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(type='Keypoints2DConditioner'),
    denoiser=dict(type='CTGCNDenoiser', num_frames=9, channels=8, num_layers=1, condition_channels=2, step_channels=8,
                  num_train_timesteps=4),
    noise_scheduler=dict(type='CosineNoiseScheduler', num_train_timesteps=4),
    sampler=dict(type='DDPMSampler'),
    head=dict(type='LiftingHead', skeleton='cmu17'),
    test_cfg=dict(num_hypotheses=3),
)
"""


@pytest.fixture(scope='module')
def demo(cli):
    return cli('lift')


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text(CONFIG)
    return path


def write_clip(path, num_frames=11, **changes):
    whole = dict(np.load(DEMO_KEYPOINTS))
    for name in ('keypoints_2d', 'keypoint_scores'):
        whole[name] = whole[name][:num_frames]
    np.savez(path, **(whole | changes))
    return path


def run(demo, config, tmp_path, *options, keypoints=None):
    keypoints = keypoints or write_clip(tmp_path / 'clip.npz')
    out = tmp_path / 'out'
    demo.main(['--config', str(config), '--keypoints', str(keypoints), '--out', str(out), *options])
    return out


def test_it_writes_poses_and_pictures_and_prints_a_table(demo, config, tmp_path, capsys):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'older').touch()
    out = run(demo, config, tmp_path)
    (out / 'older').unlink()
    assert sorted(file.name for file in out.iterdir()) == ['lifted.gif', 'lifted.png', 'poses.json']
    poses = json.loads((out / 'poses.json').read_text())
    assert np.shape(poses['joints_3d']) == (11, 17, 3)
    assert np.abs(np.array(poses['joints_3d'])[:, 0]).max() == 0  # relative to the root
    assert np.shape(poses['joints_3d_std']) == np.shape(poses['joint_observed']) == (11, 17)
    expected = {'units': 'mm', 'fps': 30.0, 'skeleton': 'cmu17', 'num_hypotheses': 3, 'img_shape': [994, 1768]}
    assert {name: poses[name] for name in expected} == expected
    assert poses['joint_names'] == list(CMU17.joint_names)
    assert Image.open(out / 'lifted.gif').n_frames == 6
    printed = capsys.readouterr()
    assert 'poses.json, lifted.png, lifted.gif\n' in printed.out
    for text in (
        'mediapipe33 -> coco17 -> cmu17',
        'approximated: root',
        'left wrist',
        'symmetry gap',
        'RANDOM WEIGHTS',
    ):
        assert text in printed.out
    assert printed.err == ''


def test_the_seed_decides_and_options_reach_the_sampler(demo, config, tmp_path):
    torch.save({'state_dict': posediff.init_model(config).state_dict()}, tmp_path / 'tiny.pth')
    written = []
    for seed in ('1', '1', '2'):
        options = (
            '--checkpoint',
            str(tmp_path / 'tiny.pth'),
            '--seed',
            seed,
            '--num-hypotheses',
            '2',
            '--num-inference-steps',
            '4',
            '--no-animation',
        )
        out = run(demo, config, tmp_path, *options)
        written.append(json.loads((out / 'poses.json').read_text()))
    assert written[0] == written[1]
    assert written[0]['joints_3d'] != written[2]['joints_3d']
    assert written[0]['num_hypotheses'] == 2


def test_a_checkpoint_is_loaded(demo, config, tmp_path, capsys):
    model = posediff.init_model(config)
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'tiny.pth')
    run(demo, config, tmp_path, '--checkpoint', str(tmp_path / 'tiny.pth'), '--no-animation')
    assert 'tiny.pth' in capsys.readouterr().out
    whole = (tmp_path / 'tiny.pth').read_bytes()
    (tmp_path / 'cut.pth').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SystemExit, match='2'):
        run(demo, config, tmp_path, '--checkpoint', str(tmp_path / 'cut.pth'))
    assert 'cut.pth' in capsys.readouterr().err


def test_a_clip_shorter_than_the_window_is_padded(demo, config, tmp_path):
    keypoints = write_clip(tmp_path / 'short.npz', num_frames=2)
    out = run(demo, config, tmp_path, '--no-animation', keypoints=keypoints)
    assert json.loads((out / 'poses.json').read_text())['num_frames'] == 2


def test_unseen_joints_are_left_out(demo, config, tmp_path, capsys):
    scores = np.load(DEMO_KEYPOINTS)['keypoint_scores'][:11].copy()
    scores[:, 15] = 0  # left wrist
    keypoints = write_clip(tmp_path / 'unseen.npz', keypoint_scores=scores)
    run(demo, config, tmp_path, '--no-animation', keypoints=keypoints)
    row = next(line for line in capsys.readouterr().out.splitlines() if 'left wrist' in line)
    assert row.rstrip(' |').endswith(' 0.0')


def refused(demo, capsys, *arguments):
    with pytest.raises(SystemExit, match='2'):
        demo.main([str(argument) for argument in arguments])
    error = capsys.readouterr().err
    assert error.startswith('error: ')
    assert error.count('\n') == 1
    return error


def test_bad_input_is_one_line_and_writes_nothing(demo, config, tmp_path, capsys):
    out = tmp_path / 'out'
    common = ('--out', out, '--config', config)
    points = np.load(DEMO_KEYPOINTS)['keypoints_2d'][:11].copy()
    points[4, 0, 0] = np.inf
    spoilt = write_clip(tmp_path / 'inf.npz', keypoints_2d=points)
    assert 'frame 4: nose' in refused(demo, capsys, *common, '--keypoints', spoilt)
    empty = write_clip(tmp_path / 'empty.npz', num_frames=0)
    assert 'empty' in refused(demo, capsys, *common, '--keypoints', empty)
    flat = write_clip(tmp_path / 'flat.npz', keypoints_2d=np.zeros((11, 33)))
    assert 'got (11, 33)' in refused(demo, capsys, *common, '--keypoints', flat)
    unknown = write_clip(tmp_path / 'unknown.npz', skeleton=np.array('smpl'))
    assert "unknown skeleton 'smpl'" in refused(demo, capsys, *common, '--keypoints', unknown)
    foreign = write_clip(tmp_path / 'foreign.npz', skeleton=np.array('h36m17'), keypoints_2d=np.zeros((11, 17, 2)))
    assert 'keypoint_scores' in refused(demo, capsys, *common, '--keypoints', foreign)
    assert 'states fps 30.0, not 25.0' in refused(demo, capsys, *common, '--fps', '25')
    assert 'nowhere.npz' in refused(demo, capsys, *common, '--keypoints', tmp_path / 'nowhere.npz')
    assert not out.exists()


def test_bad_lifters_are_one_line(demo, config, tmp_path, capsys):
    assert 'nowhere.py' in refused(demo, capsys, '--config', tmp_path / 'nowhere.py', '--out', tmp_path / 'out')
    assert '--lifter-checkpoint x.pth needs the --lifter' in refused(
        demo, capsys, '--checkpoint', 'x.pth', '--out', tmp_path / 'out'
    )
    assert 'x.pth' in refused(demo, capsys, '--config', config, '--checkpoint', 'x.pth', '--out', tmp_path / 'out')
    typo = tmp_path / 'typo.py'
    typo.write_text(CONFIG.replace('channels=8, num_layers', 'chanels=8, num_layers'))
    assert 'chanels' in refused(demo, capsys, '--config', typo, '--out', tmp_path / 'out')
    unknown = tmp_path / 'unknown.py'
    unknown.write_text(CONFIG.replace('CTGCNDenoiser', 'CTGCNDenoisr'))
    assert 'CTGCNDenoisr' in refused(demo, capsys, '--config', unknown, '--out', tmp_path / 'out')
    (tmp_path / 'file').write_text('')
    assert 'file' in refused(demo, capsys, '--config', config, '--out', tmp_path / 'file')


@pytest.mark.parametrize(
    'option',
    [('--image-size', '640'), ('--image-size', '640,360'), ('--num-hypotheses', '0'), ('--num-hypotheses', 'x')],
)
def test_options_that_make_no_sense_are_refused(demo, option, capsys):
    with pytest.raises(SystemExit) as stop:
        demo.main(option)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert option[0] in error
    assert repr(option[1]) in error


def test_keypoints_of_which_none_was_seen_are_named(demo, tmp_path, capsys):
    np.savez(tmp_path / 'blind.npz', keypoints_2d=np.full((4, 17, 2), np.nan), skeleton='coco17', fps=25.0)
    said = refused(
        demo, capsys, '--keypoints', tmp_path / 'blind.npz', '--image-size', '640x360', '--out', tmp_path / 'o'
    )
    assert 'blind.npz: no keypoint is valid' in said


@pytest.mark.slow
def test_the_shipped_lifter_lifts_the_shipped_clip(demo, tmp_path, capsys):
    assert LIFTER_CONFIG.is_file()
    demo.main(['--out', str(tmp_path), '--no-animation'])
    pose = np.array(json.loads((tmp_path / 'poses.json').read_text())['joints_3d'])
    name = CMU17.joint_names.index
    assert (pose[:, name('head'), 1] < pose[:, name('thorax'), 1]).all()  # y is down
    feet = pose[:, [name('left_foot'), name('right_foot')], 1]
    assert ((feet > 500) & (feet < 1300)).mean() > 0.95


def test_joints_outside_the_picture_are_not_seen(demo, config, tmp_path, capsys):
    points = np.random.default_rng(0).uniform([40, 10], [90, 80], (11, 17, 2)).astype(np.float32)
    ankle = COCO17.joint_names.index('left_ankle')
    points[2:, ankle, 1] += 96  # below the lower edge
    clip = tmp_path / 'half.npz'
    np.savez(clip, keypoints_2d=points, skeleton='coco17', fps=25.0, img_shape=(96, 128))
    poses = json.loads((run(demo, config, tmp_path, '--no-animation', keypoints=clip) / 'poses.json').read_text())
    observed = np.array(poses['joint_observed'])
    foot = CMU17.joint_names.index('left_foot')
    assert observed[:, foot].tolist() == [True, True] + [False] * 9
    assert np.delete(observed, foot, axis=1).all()
    line = next(line for line in capsys.readouterr().out.splitlines() if 'left foot' in line)
    assert line.split('|')[4].strip() == '18.2'  # of 100


def test_seen_joints_only_leaves_the_others_out(demo, config, tmp_path):
    points = np.random.default_rng(0).uniform([40, 10], [90, 80], (11, 17, 2)).astype(np.float32)
    points[2:, COCO17.joint_names.index('left_ankle')] = np.nan
    points[4] = np.nan  # a frame without keypoints
    clip = tmp_path / 'half.npz'
    np.savez(clip, keypoints_2d=points, skeleton='coco17', fps=25.0, img_shape=(96, 128))
    torch.save({'state_dict': posediff.init_model(config).state_dict()}, tmp_path / 'tiny.pth')
    options = ('--checkpoint', str(tmp_path / 'tiny.pth'))
    whole, seen = (
        json.loads((run(demo, config, tmp_path, *options, *more, keypoints=clip) / 'poses.json').read_text())
        for more in (('--no-animation',), ('--seen-joints-only',))
    )
    observed = np.array(seen['joint_observed'])
    assert observed.tolist() == whole['joint_observed']
    assert not observed[2:, CMU17.joint_names.index('left_foot')].any()
    for name in ('joints_3d', 'joints_3d_std'):
        kept, values = (np.array(document[name], float) for document in (seen, whole))
        assert np.isnan(kept[~observed]).all()
        np.testing.assert_array_equal(kept[observed], values[observed])
    assert seen['seen_joints_only']
    assert 'seen_joints_only' not in whole
    assert Image.open(tmp_path / 'out' / 'lifted.gif').n_frames > 1


def test_seen_joints_only_needs_a_joint_of_the_lifter(demo, config, tmp_path, capsys):
    points = np.full((4, 17, 2), np.nan)
    points[:, COCO17.joint_names.index('left_ankle')] = -5.0  # outside the picture
    np.savez(tmp_path / 'foot.npz', keypoints_2d=points, skeleton='coco17', fps=25.0, img_shape=(96, 128))
    options = ('--config', config, '--keypoints', tmp_path / 'foot.npz', '--out', tmp_path / 'o')
    assert 'no joint of the lifter was observed' in refused(demo, capsys, *options, '--seen-joints-only')
