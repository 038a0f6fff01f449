"""A frozen lifter: never changed, never forgotten, never random without being noticed."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from posediff.models.conditioners import FrozenLifterConditioner, Keypoints2DConditioner, LifterConditioner

LIFTER = {'type': 'MixSTE', 'channels': 8, 'depth': 2, 'num_heads': 2, 'num_frames': 5, 'drop_path_rate': 0.5}


class Whole(nn.Module):
    """A model around a conditioner, as checkpoints know it."""

    def __init__(self, conditioner: nn.Module) -> None:
        super().__init__()
        self.conditioner = conditioner
        self.denoiser = nn.Linear(2, 2)


@pytest.fixture
def lifter_file(tmp_path: Path) -> Path:
    """Checkpoint of a supervised model."""
    torch.manual_seed(1)
    path = tmp_path / 'mixste.pth'
    torch.save({'meta': {}, 'state_dict': Whole(LifterConditioner(LIFTER)).state_dict()}, path)
    return path


def loaded(path: Path) -> FrozenLifterConditioner:
    conditioner = FrozenLifterConditioner(LIFTER, checkpoint=path)
    conditioner.init_weights()
    return conditioner


def test_stays_in_eval_without_gradient() -> None:
    model = Whole(FrozenLifterConditioner(LIFTER)).train()
    assert model.training
    assert not any(module.training for module in model.conditioner.lifter.modules())
    assert not any(parameter.requires_grad for parameter in model.conditioner.parameters())
    x = torch.randn(2, 5, 17, 2, requires_grad=True)
    features = model.conditioner(x)
    assert not features.requires_grad
    assert torch.equal(features, model.conditioner(x))  # no stochastic depth


def test_a_trainable_lifter_trains() -> None:
    conditioner = LifterConditioner(LIFTER).train()
    assert all(parameter.requires_grad for parameter in conditioner.parameters())
    assert conditioner(torch.randn(2, 5, 17, 2)).requires_grad
    assert conditioner.ready_to_train() is None
    assert Keypoints2DConditioner().ready_to_train() is None


def test_weights_come_from_a_supervised_checkpoint(lifter_file: Path) -> None:
    conditioner = loaded(lifter_file)
    assert conditioner.ready_to_train() is None
    expected = torch.load(lifter_file, weights_only=True)['state_dict']
    for name, value in conditioner.state_dict().items():
        assert torch.equal(value, expected[f'conditioner.{name}']), name


def test_building_does_not_read_the_file(lifter_file: Path) -> None:
    conditioner = FrozenLifterConditioner(LIFTER, checkpoint=lifter_file)
    assert str(lifter_file) in conditioner.ready_to_train()


def test_a_missing_file_is_named_before_training(tmp_path: Path) -> None:
    path = tmp_path / 'nowhere.pth'
    assert str(path) in loaded(path).ready_to_train()


def test_no_file_at_all_is_said() -> None:
    assert 'conditioner.checkpoint' in FrozenLifterConditioner(LIFTER).ready_to_train()


def test_a_full_checkpoint_contains_the_lifter(lifter_file: Path) -> None:
    state = Whole(loaded(lifter_file)).state_dict()
    model = Whole(FrozenLifterConditioner(LIFTER))
    model.load_state_dict(state)
    assert model.conditioner.ready_to_train() is None
    model.conditioner.init_weights()  # and a Runner that initialises later changes nothing
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_a_partial_checkpoint_does_not_count(lifter_file: Path) -> None:
    state = Whole(loaded(lifter_file)).state_dict()
    model = Whole(FrozenLifterConditioner(LIFTER))
    del state['conditioner.lifter.embedding.weight']
    model.load_state_dict(state, strict=False)
    assert model.conditioner.ready_to_train() is not None


def test_copies_know_for_themselves(lifter_file: Path) -> None:
    conditioner = FrozenLifterConditioner(LIFTER)
    twin = copy.deepcopy(conditioner)
    twin.load_state_dict(loaded(lifter_file).state_dict())
    assert twin.ready_to_train() is None
    assert conditioner.ready_to_train() is not None


def test_a_lifter_of_another_size_is_refused(lifter_file: Path) -> None:
    conditioner = FrozenLifterConditioner({**LIFTER, 'channels': 16}, checkpoint=lifter_file)
    with pytest.raises(ValueError, match=str(lifter_file)):
        conditioner.init_weights()
    assert conditioner.ready_to_train() is not None


def test_a_file_without_a_lifter_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'other.pth'
    torch.save({'state_dict': nn.Linear(2, 2).state_dict()}, path)
    with pytest.raises(ValueError, match=r'other\.pth holds no lifter'):
        loaded(path)


def test_raw_joints_pass_unchanged() -> None:
    joints = torch.randn(2, 5, 17, 2)
    assert torch.equal(Keypoints2DConditioner()(joints), joints)
    with pytest.raises(ValueError, match=r'\(5, 17, 2\)'):
        Keypoints2DConditioner()(joints[0])
