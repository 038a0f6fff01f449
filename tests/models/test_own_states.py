"""Training on the sampler's own states, for both shapes of a state."""

from __future__ import annotations

import pytest
import torch

from posediff.diffusion.noise_schedulers import CosineNoiseScheduler
from posediff.diffusion.samplers import DDIMSampler
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.options import TrainOptions, parse_options
from posediff.models.training_state import own_state, training_state
from posediff.registry import DENOISERS
from posediff.testing import randomise

NETWORKS = [
    {'type': 'MixSTEDenoiser', 'num_frames': 3, 'channels': 8, 'condition_channels': 2, 'depth': 1, 'num_heads': 2},
    {'type': 'LookupPoseDecoder', 'num_joints': 4, 'heatmap_size': (16, 12), 'condition_channels': 6,
     'channels': (8, 6), 'out_channels': 8, 'num_heads': 2, 'step_channels': 8},
]  # fmt: skip
LIFTER = {
    'conditioner': {'type': 'Keypoints2DConditioner'},
    'denoiser': NETWORKS[0],
    'noise_scheduler': {'type': 'CosineNoiseScheduler', 'num_train_timesteps': 50, 'prediction_type': 'sample'},
    'sampler': {'type': 'DDIMSampler'},
    'head': {'type': 'LiftingHead'},
}
each_network = pytest.mark.parametrize('network', NETWORKS, ids=lambda network: network['type'])


def inputs(denoiser) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    noise, x_0 = torch.randn(2, 2, *denoiser.state_shape, generator=generator)
    return x_0, noise, torch.randn(2, *denoiser.condition_shape, generator=generator)


@each_network
def test_an_own_state_is_what_ddim_hands_to_its_second_denoiser_call(network):
    denoiser = randomise(DENOISERS.build(network)).eval()
    # ends at alpha_bar 0.02, where the noise that belongs to the estimate differs from x_T
    scheduler = CosineNoiseScheduler(50, max_beta=0.1, prediction_type='sample')
    _, noise, condition = inputs(denoiser)
    for t in (30, 7):
        seen = []

        def denoise(x_t, step, seen=seen):
            seen.append(x_t)
            return denoiser(x_t, torch.tensor([step]), condition)

        with torch.no_grad():
            DDIMSampler(spacing=[49, t]).sample(denoise, noise[None], scheduler, 2)
        x_t, estimate = own_state(denoiser, scheduler, noise, torch.tensor([t, t]), condition)
        torch.testing.assert_close(x_t, seen[1], rtol=1e-4, atol=1e-5)
        with torch.no_grad():
            torch.testing.assert_close(estimate, denoiser(noise, torch.tensor([49]), condition))
        assert not x_t.requires_grad


@each_network
def test_the_share_of_own_states_is_the_probability(network):
    denoiser = randomise(DENOISERS.build(network)).eval()
    scheduler = CosineNoiseScheduler(50, prediction_type='sample')
    x_0, noise, condition = inputs(denoiser)
    timestep = torch.tensor([3, 40])
    own = own_state(denoiser, scheduler, noise, timestep, condition)[0]
    noisy = scheduler.add_noise(x_0, noise, timestep)
    for probability, least, most in ((0.0, 0, 0), (0.3, 15, 45), (1.0, 100, 100)):
        count = 0
        for seed in range(100):
            torch.manual_seed(seed)
            found = training_state(denoiser, scheduler, x_0, noise, timestep, condition, probability)
            assert len(found) == 1
            assert torch.equal(found[0], own) != torch.equal(found[0], noisy)
            count += torch.equal(found[0], own)
        assert least <= count <= most


def test_an_own_state_comes_with_its_estimate_for_self_conditioning():
    denoiser = randomise(DENOISERS.build({**NETWORKS[1], 'self_conditioning': True})).eval()
    scheduler = CosineNoiseScheduler(50, prediction_type='sample')
    x_0, noise, condition = inputs(denoiser)
    timestep = torch.tensor([3, 40])
    found = training_state(denoiser, scheduler, x_0, noise, timestep, condition, 1.0)
    for actual, expected in zip(found, own_state(denoiser, scheduler, noise, timestep, condition), strict=True):
        torch.testing.assert_close(actual, expected)


def test_the_target_is_the_true_x_0_and_every_parameter_is_trained():
    model = randomise(PoseDiffusionEstimator(**LIFTER, train_cfg={'own_states': 1.0}))
    x_0, noise, condition = inputs(model.denoiser)
    timestep = torch.tensor([3, 40])
    loss = model.diffusion_loss(x_0, condition, timestep, noise)
    x_t, _ = own_state(model.denoiser, model.noise_scheduler, noise, timestep, condition)
    torch.testing.assert_close(loss, ((model.denoiser(x_t, timestep, condition) - x_0) ** 2).mean())
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize('kind', ['epsilon', 'v_prediction'])
def test_other_prediction_types_are_refused(kind):
    scheduler = {**LIFTER['noise_scheduler'], 'prediction_type': kind}
    with pytest.raises(ValueError, match=f"own_states needs .* prediction_type='sample'.*; got '{kind}'"):
        PoseDiffusionEstimator(**{**LIFTER, 'noise_scheduler': scheduler}, train_cfg={'own_states': 0.5})


def test_a_model_without_diffusion_has_no_states():
    plain = {'conditioner': LIFTER['conditioner'], 'head': {'type': 'LiftingHead', 'in_channels': 2}}
    with pytest.raises(ValueError, match='own_states needs .*; got no noise scheduler'):
        PoseDiffusionEstimator(**plain, train_cfg={'own_states': 0.5})


@pytest.mark.parametrize('value', [-0.1, 1.1, float('nan'), '0.5'])
def test_the_share_is_a_probability(value):
    with pytest.raises(ValueError, match=r'train_cfg: own_states must be'):
        parse_options(TrainOptions, {'own_states': value}, 'model.train_cfg')
