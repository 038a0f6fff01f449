"""Diffusion about the pose of a frozen lifter."""

from __future__ import annotations

import copy

import pytest
import torch

from posediff.models.conditioners import PosePriorConditioner
from posediff.models.conditioners.pose_prior import REGRESSION_PREFIX
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.testing import randomise

LIFTER = {
    'type': 'TemporalTransformer', 'in_channels': 6, 'hidden_channels': 8, 'depth': 1, 'num_heads': 2, 'num_frames': 5,
}  # fmt: skip
SUPERVISED = {
    'conditioner': {'type': 'LifterConditioner', 'lifter': LIFTER, 'center': True},
    'head': {'type': 'LiftingHead', 'in_channels': 3},
}
FLOW = {
    'conditioner': {'type': 'PosePriorConditioner', 'lifter': LIFTER, 'center': True, 'scale': 20.0},
    'denoiser': {
        'type': 'TemporalTransformerDenoiser', 'num_frames': 5, 'channels': 8, 'depth': 1, 'num_heads': 2,
        'condition_channels': 9,
    },
    'noise_scheduler': {'type': 'LinearPath', 'time_input': 'sigma_1000'},
    'sampler': {'type': 'DDIMSampler'},
    'head': {'type': 'LiftingHead', 'scale': 20.0},
    'test_cfg': {'num_hypotheses': 6, 'num_inference_steps': 2},
}  # fmt: skip
INPUTS = torch.cat([torch.randn(2, 5, 17, 2, generator=torch.Generator().manual_seed(0)), torch.ones(2, 5, 17, 1)], -1)


def flow(**changes) -> PoseDiffusionEstimator:
    config = copy.deepcopy(FLOW)
    for name, value in changes.items():
        config[name].update(value)
    return randomise(PoseDiffusionEstimator(**config)).eval()


def test_the_pose_is_that_of_the_supervised_model(tmp_path):
    lifter = randomise(PoseDiffusionEstimator(**SUPERVISED)).eval()
    path = tmp_path / 'lifter.pth'
    torch.save({'state_dict': lifter.state_dict()}, path)
    model = flow(conditioner={'checkpoint': str(path)})
    assert 'was not loaded' in model.ready_to_train()
    model.init_weights()
    assert model.ready_to_train() is None
    mean = model.conditioner.state_mean(model.compute_condition(INPUTS))
    torch.testing.assert_close(mean, 20 * lifter(INPUTS)[:, 0].detach())
    torch.testing.assert_close(model.head.decode(mean.clone()), lifter.head.decode(lifter(INPUTS)[:, 0].detach()))


def test_a_checkpoint_without_the_head_is_refused(tmp_path):
    state = randomise(PoseDiffusionEstimator(**SUPERVISED)).state_dict()
    path = tmp_path / 'lifter.pth'
    torch.save({'state_dict': {key: value for key, value in state.items() if 'regression' not in key}}, path)
    with pytest.raises(ValueError, match=f"none of its keys starts with '{REGRESSION_PREFIX}'"):
        flow(conditioner={'checkpoint': str(path)}).init_weights()


def test_without_error_samples_are_the_pose():
    """A network that predicts the velocity -epsilon says that the error is 0."""
    model = flow()
    condition = model.compute_condition(INPUTS)
    model.denoiser.forward = lambda x_t, timestep, condition: -x_t / (timestep[:, None, None, None] / 1000)
    samples = model.sample(condition, 4, 3)
    mean = model.conditioner.state_mean(condition)
    torch.testing.assert_close(samples, mean[:, None].expand_as(samples))


def test_the_loss_is_that_of_the_error():
    model = flow()
    condition = model.compute_condition(INPUTS)
    x_0, noise, time = torch.randn(2, 5, 17, 3), torch.randn(2, 5, 17, 3), torch.tensor([0.2, 0.7])
    error = x_0 - model.conditioner.state_mean(condition)
    x_t = time[:, None, None, None] * error + (1 - time)[:, None, None, None] * noise
    output = model.denoiser(x_t, 1000 * (1 - time), condition)
    expected = (output - (error - noise)).square().mean()
    torch.testing.assert_close(model.diffusion_loss(x_0, condition, time, noise), expected)


def test_keep_prior_mean_moves_the_hypotheses_together():
    free, kept = flow(), flow(test_cfg={'keep_prior_mean': True})
    kept.load_state_dict(free.state_dict())
    condition = free.compute_condition(INPUTS)
    mean = free.conditioner.state_mean(condition)
    one, other = (model.sample(condition, 6, generator=torch.Generator().manual_seed(1)) for model in (free, kept))
    assert not torch.allclose(one.mean(1), mean, atol=1e-3)
    torch.testing.assert_close(other.mean(1), mean, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(other - other.mean(1, keepdim=True), one - one.mean(1, keepdim=True))


def test_a_single_kept_hypothesis_is_the_mean_without_a_denoiser_call():
    model = flow(test_cfg={'keep_prior_mean': True, 'num_hypotheses': 1})
    condition = model.compute_condition(INPUTS)
    model.denoiser.forward = None  # a call would raise
    torch.testing.assert_close(model.sample(condition, 1)[:, 0], model.conditioner.state_mean(condition))
    torch.testing.assert_close(model.sample_inputs(INPUTS)[:, 0], model.conditioner.state_mean(condition))


def test_the_lifter_gets_no_gradient():
    model = flow().train()
    model.diffusion_loss(torch.randn(2, 5, 17, 3), model.compute_condition(INPUTS)).backward()
    assert all(parameter.grad is None for parameter in model.conditioner.parameters())
    assert all(parameter.grad is not None for parameter in model.denoiser.parameters())


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'head': {'scale': 1.0}}, r'PosePriorConditioner has scale=20.0, but the head has scale=1.0'),
        ({'test_cfg': {'flip_steps': True}}, 'flip_steps averages states'),
        ({'test_cfg': {'keep_prior_mean': True, 'noise_free': True, 'num_hypotheses': 1}}, 'set noise_free to False'),
        ({'test_cfg': {'keep_prior_mean': True, 'flip_hypotheses': True}}, 'set flip_hypotheses to False'),
        ({'test_cfg': {'keep_prior_mean': 'yes'}}, "keep_prior_mean must be True or False, got 'yes'"),
    ],
)
def test_parts_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        flow(**changes)


def test_options_that_need_a_mean():
    config = {**FLOW, 'conditioner': {'type': 'Keypoints2DConditioner', 'center': True}}
    config['denoiser'] = {**FLOW['denoiser'], 'condition_channels': 6}
    with pytest.raises(ValueError, match='keep_prior_mean needs a conditioner with a mean of the state'):
        PoseDiffusionEstimator(**{**config, 'test_cfg': {'keep_prior_mean': True}})
    with pytest.raises(ValueError, match='condition_dropout'):
        PoseDiffusionEstimator(**{**FLOW, 'train_cfg': {'condition_dropout': 0.1}})


def test_with_flip_skeleton_a_mirrored_input_gives_the_mirrored_pose():
    plain, flipping = flow(), flow(conditioner={'flip_skeleton': 'h36m17'})
    flipping.load_state_dict(plain.state_dict())
    mirrored = plain.head.flip_inputs(INPUTS)
    one, other = (flipping.conditioner.state_mean(flipping.compute_condition(inputs)) for inputs in (INPUTS, mirrored))
    torch.testing.assert_close(flipping.head.flip_state(other), one)
    first, second = (plain.conditioner.state_mean(plain.compute_condition(inputs)) for inputs in (INPUTS, mirrored))
    torch.testing.assert_close(one, (first + plain.head.flip_state(second)) / 2)


def test_the_pose_is_not_rounded_in_mixed_precision():
    model = flow()
    with torch.autocast('cpu', torch.bfloat16):
        rounded = model.compute_condition(INPUTS)
    torch.testing.assert_close(rounded, model.compute_condition(INPUTS))


def test_type():
    assert PosePriorConditioner(LIFTER, scale=1.0, center=True)(INPUTS).shape == (2, 5, 17, 9)
