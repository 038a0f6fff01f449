"""posediff calibrate: factors of the spread in a checkpoint, and their effect."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import posediff
from posediff.datasets.camera_sampling import draw_camera, get_camera_preset
from posediff.datasets.mocap_files import MocapClip, save_subject
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.testing import randomise

CONFIG = """
default_scope = 'posediff'
fps = 50.0
model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor', input_mask={mask}),
    conditioner=dict(type='Keypoints2DConditioner'),
    denoiser=dict(type='TemporalTransformerDenoiser', num_frames=5, skeleton='cmu17', channels=8, depth=1, num_heads=2,
                  condition_channels={channels}),
    noise_scheduler=dict(type='LinearPath', time_input='sigma_1000'),
    sampler=dict(type='DDIMSampler'),
    head=dict(type='LiftingHead', skeleton='cmu17', calibrated_spread={calibrated}),
    test_cfg=dict(num_hypotheses={hypotheses}, num_inference_steps=2),
)
"""


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data')
    rng = np.random.default_rng(0)
    joints = rng.normal(0, 0.2, (1, 17, 3)) + rng.normal(0, 0.05, (600, 17, 3)) + [0, 0, 1]
    camera = draw_camera(1000 * joints, 0.0, get_camera_preset('wild'), rng)
    save_subject(
        folder / '01.npz', [MocapClip('01_01', '01', 'walk', 'walk', joints.astype(np.float32), [camera])], fps=50.0,
        seed=0, preset='wild',
    )  # fmt: skip
    return folder


@pytest.fixture
def lifter(tmp_path):
    def write(mask=True, calibrated=True, hypotheses=4):
        path = tmp_path / 'lifter.py'
        path.write_text(CONFIG.format(mask=mask, channels=2 + mask, calibrated=calibrated, hypotheses=hypotheses))
        torch.manual_seed(0)
        model = posediff.init_model(path)
        randomise(model)
        if calibrated:
            model.head.spread_factors.fill_(3.0)
        torch.save({'state_dict': model.state_dict(), 'meta': {'epoch': 7}}, tmp_path / 'lifter.pth')
        return str(path), str(tmp_path / 'lifter.pth')

    return write


@pytest.mark.parametrize('mask', [True, False])
def test_afterwards_errors_are_as_large_as_the_spread_claims(cli, exit_code, lifter, data_root, tmp_path, mask):
    config, source = lifter(mask)
    out = tmp_path / 'calibrated.pth'
    options = [str(data_root), '--subjects', '01']
    assert exit_code(cli('calibrate').main, [config, source, str(out), *options]) == 0
    factors = torch.load(out)['state_dict']['head.spread_factors']
    assert factors.shape == (2, 17)
    assert (factors[:, 0] == 1).all()
    assert (factors[0, 1:] != 3).all()
    assert torch.load(out)['meta'] == {'epoch': 7}
    ratios = []
    for checkpoint in (source, str(out)):
        arguments = [*options, '--lifter', config, checkpoint, '--out', str(tmp_path / 'clips.json')]
        assert exit_code(cli('benchmark.clips').main, arguments) == 0
        ratios.append(json.loads((tmp_path / 'clips.json').read_text())['rows'][0]['error/spread, seen'])
    assert ratios[0] < 0.5
    # not exactly 1: where a keypoint is missed for a moment, the windows that hold it are blended
    assert ratios[1] == pytest.approx(1, abs=0.02)


def test_hidden_parts_are_counted_apart(cli, exit_code, lifter, data_root, tmp_path, capsys):
    config, source = lifter()
    arguments = [config, source, str(tmp_path / 'out.pth'), str(data_root), '--subjects', '01', '--hide', 'legs']
    assert exit_code(cli('calibrate').main, arguments) == 0
    rows = {
        row.split('|')[1].strip(): row.split('|')[4:6] for row in capsys.readouterr().out.splitlines() if '|' in row
    }
    seen, hidden = (int(cell) for cell in rows['left_knee'])
    assert 590 <= seen <= 600 <= hidden <= 610  # a run with all detections, and one without legs
    assert int(rows['head'][0]) > 1190  # seen in both


def test_the_mean_stays_and_hidden_joints_have_their_own_factor(lifter):
    model: PoseDiffusionEstimator = posediff.init_model(*lifter())
    x_0, inputs = torch.randn(2, 4, 5, 17, 3), torch.rand(2, 5, 17, 3) + 0.1
    x_0[..., 0, :] = 0
    inputs[0, 2, 6] = 0
    model.head.spread_factors[:] = torch.arange(1.0, 35.0).view(2, 17)
    moved = model.head.calibrate(x_0, inputs)
    torch.testing.assert_close(moved.mean(1), x_0.mean(1), atol=1e-4, rtol=1e-4)
    scale = ((moved - moved.mean(1, keepdim=True)) / (x_0 - x_0.mean(1, keepdim=True)))[..., 1:, :]
    expected = torch.arange(2.0, 18.0).expand(5, 16).clone()
    torch.testing.assert_close(scale[1, 0, :, :, 0], expected, atol=1e-2, rtol=1e-2)
    expected[2, 5] = 17 + 7
    torch.testing.assert_close(scale[0, 0, :, :, 0], expected, atol=1e-2, rtol=1e-2)
    torch.testing.assert_close(model.head.calibrate(x_0, inputs[..., :2]), moved)
    shift = torch.randn(2, 4, 5, 1, 3)  # of whole hypotheses: their poses relative to the root are the same
    torch.testing.assert_close(model.head.calibrate(x_0 + shift, inputs), moved + shift, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'calibrated': False}, 'has no model.head.calibrated_spread=True'),
        ({'hypotheses': 1}, 'needs at least 2 of them, got 1'),
    ],
)
def test_lifters_that_cannot_be_calibrated(cli, exit_code, lifter, data_root, tmp_path, capsys, options, message):
    config, source = lifter(**options)
    out = tmp_path / 'calibrated.pth'
    assert exit_code(cli('calibrate').main, [config, source, str(out), str(data_root), '--subjects', '01']) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_checkpoint_without_factors_is_an_error_where_the_config_wants_them(lifter, tmp_path):
    config, source = lifter(calibrated=False)
    wanting = tmp_path / 'wanting.py'
    wanting.write_text(CONFIG.format(mask=True, channels=3, calibrated=True, hypotheses=4))
    posediff.init_model(config, source)
    with pytest.raises(ValueError, match=r'head\.spread_factors'):
        posediff.init_model(wanting, source)
