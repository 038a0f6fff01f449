"""The hook that gives a model its teacher."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from posediff.engine.reflow import ReflowHook
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.registry import HOOKS
from posediff.testing import randomise

LIFTER = {'type': 'MixSTE', 'channels': 8, 'depth': 1, 'num_heads': 2, 'num_frames': 2}


def build(**parts) -> PoseDiffusionEstimator:
    model = PoseDiffusionEstimator(**{
        'conditioner': {'type': 'Keypoints2DConditioner'},
        'denoiser': {'type': 'MixSTEDenoiser', 'num_frames': 2, 'channels': 8, 'depth': 1, 'num_heads': 2},
        'head': {'type': 'LiftingHead'},
        'noise_scheduler': {'type': 'LinearPath', 'time_input': 'sigma_1000'},
        'sampler': {'type': 'DDIMSampler'},
        'test_cfg': {'num_inference_steps': 1},
        **parts,
    })  # fmt: skip
    return model.train()


def saved(model: PoseDiffusionEstimator, path) -> str:
    torch.save({'state_dict': randomise(model, seed=3).state_dict()}, path)
    return str(path)


def run(hook: ReflowHook, model: PoseDiffusionEstimator) -> None:
    hook.before_train(SimpleNamespace(model=model))


def test_the_model_is_trained_on_the_samples_of_the_checkpoint(tmp_path):
    trained = build()
    checkpoint = saved(trained, tmp_path / 'trained.pth')
    hook = HOOKS.build({'type': 'ReflowHook', 'checkpoint': checkpoint, 'num_inference_steps': 3})
    model = build()
    before = set(model.state_dict())
    run(hook, model)
    assert set(model.state_dict()) == before
    condition, noise = torch.randn(4, 2, 17, 2), torch.randn(4, 2, 17, 3)
    expected = trained.eval().sample(condition, 1, 3, noise=noise[None, :, None])[:, 0]
    torch.testing.assert_close(model.teacher.sample(condition, noise), expected)
    model.diffusion_loss(torch.zeros(4, 2, 17, 3), condition).backward()
    assert all(parameter.grad is not None for parameter in model.denoiser.parameters())
    assert all(parameter.grad is None for parameter in model.teacher.denoiser.parameters())
    hook.after_train(SimpleNamespace(model=model))
    assert model.teacher is None


@pytest.mark.parametrize(
    ('parts', 'hook', 'said'),
    [
        ({}, {'sampler': {'type': 'DDPMSampler'}}, 'deterministic sampler; DDPMSampler'),
        ({'denoiser': {'type': 'MixSTEDenoiser', 'num_frames': 2, 'channels': 16, 'depth': 1, 'num_heads': 2}}, {},
         'the denoiser in .*trained.pth does not fit the one in the config'),
        ({'conditioner': {'type': 'LifterConditioner', 'lifter': LIFTER},
          'denoiser': {'type': 'MixSTEDenoiser', 'num_frames': 2, 'channels': 8, 'depth': 1, 'num_heads': 2,
                       'condition_channels': 8}}, {},
         'ReflowHook trains the denoiser alone, but conditioner.lifter.* is trained too'),
        ({'denoiser': None, 'noise_scheduler': None, 'sampler': None, 'test_cfg': None,
          'head': {'type': 'LiftingHead', 'in_channels': 2}}, {}, 'needs a model with a denoiser'),
        ({}, {'num_inference_steps': 0}, 'num_inference_steps must be a whole number of at least 1, got 0'),
    ],
)  # fmt: skip
def test_what_makes_no_pairs_is_named(tmp_path, parts, hook, said):
    checkpoint = saved(build(), tmp_path / 'trained.pth')
    with pytest.raises(ValueError, match=said):
        run(ReflowHook(**{'checkpoint': checkpoint, 'num_inference_steps': 3, **hook}), build(**parts))


def test_the_condition_must_be_that_of_the_checkpoint(tmp_path):
    frozen = {
        'conditioner': {'type': 'FrozenLifterConditioner', 'lifter': LIFTER},
        'denoiser': {'type': 'MixSTEDenoiser', 'num_frames': 2, 'channels': 8, 'depth': 1, 'num_heads': 2,
                     'condition_channels': 8},
    }  # fmt: skip
    trained, model = build(**frozen), build(**frozen)
    checkpoint = saved(trained, tmp_path / 'trained.pth')
    hook = ReflowHook(checkpoint, 2)
    with pytest.raises(ValueError, match=r'conditioner.lifter.* of the model is not that of .*trained.pth'):
        run(hook, model)
    model.load_state_dict(trained.state_dict())
    run(hook, model)
    assert model.teacher is not None
