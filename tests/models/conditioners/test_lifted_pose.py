"""The pose of a frozen lifter as a condition: that of the supervised model, and the mixture of its keypoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from posediff.models.conditioners import LiftedPoseConditioner
from posediff.models.estimator import PoseDiffusionEstimator

LIFTER = {'type': 'GraFormer', 'channels': 8, 'num_layers': 1, 'num_heads': 2}


def supervised() -> PoseDiffusionEstimator:
    torch.manual_seed(1)
    conditioner = {'type': 'LifterConditioner', 'lifter': LIFTER}
    return PoseDiffusionEstimator(conditioner, {'type': 'LiftingHead', 'in_channels': 24}).eval()


@pytest.fixture
def lifter_file(tmp_path: Path) -> Path:
    path = tmp_path / 'graformer.pth'
    torch.save({'meta': {}, 'state_dict': supervised().state_dict()}, path)
    return path


def loaded(path: Path | None, **options: Any) -> LiftedPoseConditioner:
    conditioner = LiftedPoseConditioner(LIFTER, 24, checkpoint=path, **options)
    conditioner.init_weights()
    return conditioner


def test_the_condition_is_the_pose_of_the_supervised_model_relative_to_its_root(lifter_file: Path) -> None:
    conditioner, model = loaded(lifter_file).train(), supervised()
    keypoints = torch.rand(2, 1, 17, 2) - 0.5
    condition = conditioner(keypoints)
    with torch.no_grad():
        pose = model.sample(model.conditioner(keypoints), 1)[:, 0]
    torch.testing.assert_close(condition, torch.cat([keypoints, pose - pose[:, :, :1]], dim=-1))
    assert not condition.requires_grad
    assert not [name for name, parameter in conditioner.named_parameters() if parameter.requires_grad]
    assert conditioner.ready_to_train() is None


def test_training_needs_the_weights_of_the_lifter(tmp_path: Path, lifter_file: Path) -> None:
    assert 'random weights' in (loaded(None).ready_to_train() or '')
    assert 'no.pth' in (loaded(tmp_path / 'no.pth').ready_to_train() or '')
    state = torch.load(lifter_file, weights_only=True)['state_dict']
    without = {name: value for name, value in state.items() if not name.startswith('head.')}
    torch.save({'state_dict': without}, tmp_path / 'features.pth')
    with pytest.raises(ValueError, match=r'head\.regression\.\* in .*features\.pth'):
        loaded(tmp_path / 'features.pth')


def test_a_mixture_may_differ_by_joint() -> None:
    offset = [[[0.01 * joint, 0.0], [0.0, -0.02]] for joint in range(17)]
    keypoints = {'weight': [0.9, 0.1], 'offset': offset, 'std': [[0.01, 0.02], [0.1, 0.2]]}
    conditioner = LiftedPoseConditioner(LIFTER, 24, keypoints=keypoints, pose_std=0.3, noise_share=0.5)
    condition = torch.rand(2, 1, 17, 5)
    start = conditioner.start_state(condition)
    weight, mean, std = start.mixture
    assert start.noise_share == 0.5
    assert (weight.shape, mean.shape, std.shape) == ((2, 1, 17, 2), (2, 1, 17, 2, 5), (2, 1, 17, 2, 5))
    torch.testing.assert_close(mean[..., :2] - condition[..., None, :2], torch.tensor(offset).expand(2, 1, 17, 2, 2))
    torch.testing.assert_close(mean[..., 2:], condition[..., None, 2:].expand(2, 1, 17, 2, 3))
    torch.testing.assert_close(std[0, 0, 5], torch.tensor([[0.01, 0.02, 0.3, 0.3, 0.3], [0.1, 0.2, 0.3, 0.3, 0.3]]))


@pytest.mark.parametrize(
    ('keypoints', 'said'),
    [
        ({'weight': [1.0]}, 'has weight, offset, std; got weight'),
        ({'weight': [0.5], 'offset': [[0.0, 0.0]], 'std': [[0.1, 0.1]]}, 'must sum to 1'),
        ({'weight': [1.0], 'offset': [[0.0, 0.0]], 'std': [[0.1, -0.1]]}, 'not be negative'),
        ({'weight': [1.0], 'offset': [0.0, 0.0], 'std': [[0.1, 0.1]]}, r'offset \(2,\)'),
        ({'weight': [0.5, 0.5], 'offset': [[0.0, 0.0]], 'std': [[0.1, 0.1]]}, r'got weight \(2,\), offset \(1, 2\)'),
        ({'weight': [], 'offset': [], 'std': []}, r'got weight \(0,\)'),
    ],
)
def test_what_is_no_mixture_is_named(keypoints: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LiftedPoseConditioner(LIFTER, 24, keypoints=keypoints)


@pytest.mark.parametrize('option', ['pose_std', 'noise_share'])
def test_spreads_are_not_negative(option: str) -> None:
    with pytest.raises(ValueError, match=f'{option} must be at least 0, got -1'):
        LiftedPoseConditioner(LIFTER, 24, **{option: -1.0})
