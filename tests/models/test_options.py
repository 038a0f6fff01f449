"""What train_cfg and test_cfg refuse, and shapes that do not belong together."""

import math

import pytest
import torch

from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.options import TestOptions, TrainOptions, parse_options
from posediff.registry import SAMPLERS

FRAMES, JOINTS = 5, 17
CONFIG = {
    'conditioner': {'type': 'Keypoints2DConditioner'},
    'denoiser': {'type': 'CTGCNDenoiser', 'num_frames': FRAMES, 'channels': 8, 'num_layers': 1, 'condition_channels': 2,
                 'step_channels': 8, 'num_train_timesteps': 4},
    'noise_scheduler': {'type': 'CosineNoiseScheduler', 'num_train_timesteps': 4},
    'sampler': {'type': 'DDIMSampler'},
    'head': {'type': 'LiftingHead'},
}  # fmt: skip


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('num_hypotheses', 0),
        ('num_hypotheses', 2.0),
        ('num_hypotheses', True),
        ('num_inference_steps', 0),
        ('num_inference_steps', '50'),
        ('guidance_scale', math.nan),
        ('memory_budget_mb', 0),
        ('memory_budget_mb', math.inf),
        ('seed', 1.5),
        ('flip_test', 'yes'),
        ('noise_free', 1),
    ],
)
def test_options_out_of_range_are_named(option, value):
    with pytest.raises(ValueError, match=rf'test_cfg: {option} must be .*, got {value!r}'):
        parse_options(TestOptions, {option: value}, 'model.test_cfg')


@pytest.mark.parametrize('value', [-0.1, 1.0, math.nan, '0.1'])
def test_condition_dropout_is_a_probability(value):
    with pytest.raises(ValueError, match=r'train_cfg: condition_dropout must be'):
        parse_options(TrainOptions, {'condition_dropout': value}, 'model.train_cfg')


@pytest.mark.parametrize(
    ('needed', 'unused'),
    [
        ({'time_distribution': 'logit_normal'}, {'logit_mean': -0.5}),
        ({'time_distribution': 'logit_normal'}, {'logit_std': 2.0}),
        ({'time_distribution': 'logit_normal'}, {'uniform_share': 0.0}),
        ({'loss_weight': 'min_snr'}, {'min_snr_gamma': 3.0}),
    ],
)
def test_options_without_effect_are_refused(needed, unused):
    (choice,), (name,) = needed, unused
    with pytest.raises(ValueError, match=rf'train_cfg: {name}={unused[name]!r} has no effect with {choice}='):
        parse_options(TrainOptions, unused, 'model.train_cfg')
    parse_options(TrainOptions, needed | unused, 'model.train_cfg')
    parse_options(TrainOptions, {name: getattr(TrainOptions, name)}, 'model.train_cfg')


@pytest.mark.parametrize('value', [0, 1.5, True])
def test_states_per_clip_are_counted(value):
    with pytest.raises(ValueError, match=r'train_cfg: states_per_clip must be'):
        parse_options(TrainOptions, {'states_per_clip': value}, 'model.train_cfg')


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'sampler': {'type': 'DDIMSampler', 'spacing': 'trailling'}}, "unknown timestep spacing 'trailling'"),
        ({'sampler': {'type': 'DDIMSampler', 'spacing': [9, 0]}}, r'must descend within 3\.\.0'),
        ({'test_cfg': {'num_inference_steps': 5}}, r'num_inference_steps must be in 1\.\.4, got 5'),
    ],
)
def test_steps_that_do_not_fit_the_schedule_are_found_when_the_model_is_built(changes, said):
    with pytest.raises(ValueError, match=said):
        PoseDiffusionEstimator(**CONFIG | changes)


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'condition': torch.zeros(3, FRAMES, JOINTS, 2)}, r'condition for each clip; .*condition \(3, 5, 17, 2\)'),
        ({'timestep': torch.zeros(3, dtype=torch.int64)}, r'timestep must be \(2,\)'),
        ({'noise': torch.zeros(2, FRAMES, JOINTS, 2)}, r'one shape, .*noise \(2, 5, 17, 2\)'),
    ],
)
def test_a_loss_of_shapes_that_do_not_belong_together_is_refused(changes, said):
    model = PoseDiffusionEstimator(**CONFIG)
    inputs = {'x_0': torch.zeros(2, FRAMES, JOINTS, 3), 'condition': torch.zeros(2, FRAMES, JOINTS, 2)}
    with pytest.raises(ValueError, match=said):
        model.diffusion_loss(**inputs | changes)


@pytest.mark.parametrize('asked', [{'num_hypotheses': 0}, {'num_hypotheses': 1, 'num_inference_steps': 0}])
def test_zero_is_not_taken_for_the_default(asked):
    model = PoseDiffusionEstimator(**CONFIG)
    with pytest.raises(ValueError, match=r'num_(hypotheses|inference_steps) must be .*, got 0'):
        model.sample_inputs(torch.zeros(1, FRAMES, JOINTS, 2), **asked)


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'test_cfg': {'noise_free': True, 'num_hypotheses': 2}}, 'it needs num_hypotheses=1, got 2'),
        ({'sampler': {'type': 'DDPMSampler'}},
         'noise_free=True needs a deterministic sampler such as DDIMSampler; DDPMSampler draws noise 3 times'),
        ({'denoiser': None, 'noise_scheduler': None, 'sampler': None}, 'noise_free needs a denoiser'),
    ],
)  # fmt: skip
def test_a_start_without_noise_gives_one_pose(changes, said):
    with pytest.raises(ValueError, match=said):
        PoseDiffusionEstimator(**CONFIG | {'test_cfg': {'noise_free': True}} | changes)


def test_a_start_without_noise_is_a_start_from_zero():
    parts = CONFIG | {'denoiser': CONFIG['denoiser'] | {'dropout': 0.0}}
    model = PoseDiffusionEstimator(**parts, test_cfg={'noise_free': True})
    for parameter in model.parameters():  # layers initialised to zero would have no effect
        torch.nn.init.normal_(parameter, std=0.1)
    model.eval()
    condition, noise = torch.randn(2, FRAMES, JOINTS, 2), torch.zeros(1, 2, 1, FRAMES, JOINTS, 3)
    x_0 = model.sample(condition, 1)
    assert torch.equal(x_0, model.sample(condition, 1, noise=noise))
    assert torch.equal(x_0, model.sample(condition, 1, generator=torch.Generator().manual_seed(5)))
    assert torch.equal(x_0, model.sample_inputs(condition))
    assert not torch.equal(x_0, model.sample(condition, 1, noise=noise + 1))  # given noise replaces the start
    with pytest.raises(ValueError, match='num_hypotheses=3 would be 3 equal poses'):
        model.sample(condition, 3)
    model.sampler = SAMPLERS.build({'type': 'DDIMSampler', 'eta': 1.0})
    with pytest.raises(ValueError, match=r'deterministic sampler .*; DDIMSampler draws noise 1 times after x_T'):
        model.sample(condition, 1, 2)


@pytest.mark.parametrize('option', ['flip_hypotheses', 'flip_steps'])
def test_mirroring_while_sampling_needs_a_denoiser(option):
    parts = {'conditioner': CONFIG['conditioner'], 'head': {'type': 'LiftingHead', 'in_channels': 2}}
    with pytest.raises(ValueError, match=f'test_cfg: {option} needs a denoiser; use flip_test'):
        PoseDiffusionEstimator(**parts, test_cfg={option: True})
    PoseDiffusionEstimator(**parts, test_cfg={'flip_test': True})


@pytest.mark.parametrize('aggregator', ['ReprojectionExpectationAggregator', 'JointReprojectionAggregator'])
def test_a_predicted_root_needs_a_head_that_predicts_it(aggregator):
    parts = CONFIG | {'aggregator': {'type': aggregator, 'root': 'predicted'}}
    with pytest.raises(ValueError, match=rf"{aggregator}\(root='predicted'\) .* LiftingHead\(predicts_root=True\)"):
        PoseDiffusionEstimator(**parts)
    PoseDiffusionEstimator(**parts | {'head': {'type': 'LiftingHead', 'predicts_root': True}})


def test_several_states_need_a_denoiser():
    with pytest.raises(ValueError, match='states_per_clip needs a denoiser'):
        PoseDiffusionEstimator(
            conditioner=CONFIG['conditioner'], head={'type': 'LiftingHead'}, train_cfg={'states_per_clip': 2}
        )
