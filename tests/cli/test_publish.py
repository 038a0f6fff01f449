"""posediff publish: weights that load again, and a config without parents."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import posediff
from posediff.fileio.checkpoint import load_state
from posediff.fileio.safetensors_files import read_safetensors, read_safetensors_metadata
from posediff.pose_estimation import DiffPoseEstimator
from posediff.testing.tiny_models import diffpose_config

Publish = Callable[..., int]


@pytest.fixture
def publish(cli, exit_code) -> Publish:
    module = cli('publish')

    return lambda *words: exit_code(module.main, [str(word) for word in words])


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """Write a checkpoint as training does, with optimizer and a config whose backbone is initialised from a file."""
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


@pytest.fixture
def lifter(tmp_path: Path, tiny_lifter: Path) -> Callable[..., Path]:
    """Write a checkpoint of a lifter, with this config."""
    model = posediff.init_model(tiny_lifter)

    def save(cfg: object = model.cfg.pretty_text) -> Path:
        meta = {'epoch': 3} if cfg is None else {'epoch': 3, 'cfg': cfg}
        torch.save({'state_dict': model.state_dict(), 'meta': meta}, tmp_path / 'epoch_3.pth')
        return tmp_path / 'epoch_3.pth'

    return save


def test_a_lifter_is_published_with_its_config(publish, lifter, tmp_path):
    weights, config = tmp_path / 'größe' / 'model.safetensors', tmp_path / '姿' / 'model.py'
    assert publish(lifter(), weights, '--config-out', config) == 0
    model = posediff.init_model(config, weights)
    assert model.cfg.model.denoiser.num_frames == 9
    assert 'train_dataloader' not in model.cfg


@pytest.mark.parametrize(
    ('cfg', 'said'),
    [
        (None, 'epoch_3.pth does not hold the config that it was trained with'),
        (3, 'epoch_3.pth does not hold the config that it was trained with'),
        ('model = (', 'the config in .*epoch_3.pth cannot be read'),
        ('import os\nos.mkdir("ran")', "the config in .*epoch_3.pth, line 1: 'import os' is not a literal"),
        ('fps = 50.0', 'the config in .*epoch_3.pth has no model'),
        ("model = dict(head='${head}')", r"the config in .*model\.head = '\$\{head\}' is a reference"),
    ],
)
def test_nothing_is_written_if_the_config_is_refused(publish, lifter, tmp_path, monkeypatch, capsys, cfg, said):
    monkeypatch.chdir(tmp_path)
    source = lifter(cfg)
    before = set(tmp_path.iterdir())
    assert publish(source, tmp_path / 'new' / 'model.pth', '--config-out', tmp_path / 'other' / 'model.py') == 2
    error = capsys.readouterr().err
    assert re.search(said, error), error
    assert error.count('\n') == 1
    assert set(tmp_path.iterdir()) == before


def test_paths_that_cannot_be_written_are_refused_first(publish, lifter, tmp_path, capsys):
    source = lifter()
    content = source.read_bytes()
    (tmp_path / 'folder').mkdir()
    before = set(tmp_path.iterdir())
    model = tmp_path / 'model.pth'
    for arguments, said in (
        ((source, source), 'must be different files'),
        ((source, tmp_path / 'folder' / '..' / 'epoch_3.pth'), 'must be different files'),
        ((source, model, '--config-out', model), 'must be different files'),
        ((source, tmp_path / 'folder'), 'folder is a folder; give the file to write'),
        ((source, model, '--config-out', tmp_path / 'folder'), 'folder is a folder; give the file to write'),
        ((tmp_path / 'folder', model), 'does not exist'),
    ):
        assert publish(*arguments) == 2
        assert said in capsys.readouterr().err
    assert set(tmp_path.iterdir()) == before
    assert source.read_bytes() == content
