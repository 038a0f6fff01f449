"""What is published of a training checkpoint: weights that load again, and a config that stands alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import posediff
from posediff.fileio.checkpoint import load_state
from posediff.fileio.safetensors_files import read_safetensors, read_safetensors_metadata
from posediff.pose_estimation.topdown import DiffPoseEstimator
from posediff.testing.tiny_models import diffpose_config

Publish = Callable[..., int]


@pytest.fixture
def publish(cli, exit_code) -> Publish:
    module = cli('publish')

    return lambda *words: exit_code(module.main, [str(word) for word in words])


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """As a training run writes it: optimizer, and the config whose backbone began from another file."""
    pytest.importorskip('mmpose')
    config = diffpose_config()
    state = posediff.init_model(config).state_dict()
    config.model.backbone.checkpoint = 'checkpoints/start.pth'
    config.model.denoiser.init_cfg = {'type': 'Pretrained', 'checkpoint': 'checkpoints/start.pth'}
    meta = {'cfg': config.pretty_text, 'epoch': 3, 'iter': 30, 'seed': 7, 'experiment_name': 'here'}
    torch.save({'state_dict': state, 'optimizer': {'state': {}}, 'meta': meta}, tmp_path / 'epoch_3.pth')
    return tmp_path / 'epoch_3.pth'


@pytest.mark.parametrize('half', [False, True])
def test_what_is_published_stands_alone(publish, trained, tmp_path, half):
    weights, config = tmp_path / 'model.pth', tmp_path / 'model.py'
    assert publish(trained, weights, '--config-out', config, *(['--half'] if half else [])) == 0
    published = torch.load(weights, weights_only=True)
    assert published['meta'] == {'epoch': 3, 'iter': 30, 'seed': 7}
    before = torch.load(trained, weights_only=True)['state_dict']
    model = DiffPoseEstimator(config, weights).model
    assert model.cfg.model.backbone.checkpoint is None
    assert 'init_cfg' not in model.cfg.model.denoiser
    for name, values in model.state_dict().items():
        assert values.dtype == before[name].dtype
        torch.testing.assert_close(values, before[name], rtol=1e-3 if half else 0, atol=1e-7 if half else 0)
    assert (weights.stat().st_size < 0.7 * sum(4 * values.numel() for values in before.values())) == half


def test_safetensors_are_published_with_where_they_come_from(publish, trained, tmp_path):
    weights = tmp_path / 'model.safetensors'
    assert publish(trained, weights, '--half') == 0
    assert read_safetensors_metadata(weights) == {
        'format': 'pt', 'epoch': '3', 'iter': '30', 'seed': '7', 'posediff_version': posediff.__version__
    }  # fmt: skip
    before, written = torch.load(trained, weights_only=True)['state_dict'], read_safetensors(weights)
    assert before.keys() == written.keys()
    for name, value in written.items():
        assert torch.equal(value, before[name].half() if before[name].is_floating_point() else before[name])
    assert publish(weights, tmp_path / 'again.pth') == 0
    again = load_state(tmp_path / 'again.pth')
    assert all(torch.equal(again[name], value) for name, value in written.items())


def test_what_does_not_fit_is_refused(publish, trained, tmp_path, capsys):
    checkpoint = torch.load(trained, weights_only=True)
    checkpoint['state_dict']['head.large'] = torch.tensor([1.0, 1e6])
    torch.save(checkpoint, trained)
    assert publish(trained, tmp_path / 'model.pth', '--half') == 2
    assert 'head.large goes up to 1e+06, which float16 cannot hold' in capsys.readouterr().err
    assert not (tmp_path / 'model.pth').exists()
    assert publish(tmp_path / 'nowhere.pth', tmp_path / 'model.pth') == 2
    assert 'nowhere.pth does not exist' in capsys.readouterr().err
