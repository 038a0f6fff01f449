"""Self-conditioning: the estimate of the previous call in training, and in every sampler."""

from __future__ import annotations

import pytest
import torch

from posediff.diffusion.noise_schedulers import CosineNoiseScheduler
from posediff.models.training_state import training_state
from posediff.registry import DENOISERS, MODELS
from posediff.testing import randomise

CLIP = {'num_frames': 3, 'channels': 8, 'condition_channels': 2}
HEATMAPS = {'num_joints': 4, 'heatmap_size': (16, 12), 'condition_channels': 6, 'step_channels': 8}
NETWORKS = {
    'MixSTEDenoiser': {**CLIP, 'depth': 1, 'num_heads': 2},
    'CSDIDenoiser': {**CLIP, 'num_layers': 1, 'num_heads': 2, 'feedforward_channels': 8},
    'ConcatPoseDecoder': {**HEATMAPS, 'channels': 8},
    'LookupPoseDecoder': {**HEATMAPS, 'channels': (8, 6, 4), 'out_channels': 8, 'num_heads': 2},
}
ROWS = 2


def build(name: str, **options):
    return randomise(DENOISERS.build({'type': name, **NETWORKS[name], **options})).eval()


def inputs(denoiser) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    x_t, x_0 = torch.randn(2, ROWS, *denoiser.state_shape, generator=generator)
    return x_t, x_0, torch.randn(ROWS, *denoiser.condition_shape, generator=generator)


@pytest.mark.parametrize('name', NETWORKS)
def test_an_estimate_is_a_further_input_and_zeros_without_one(name):
    denoiser = build(name, self_conditioning=True)
    x_t, estimate, condition = inputs(denoiser)
    timestep = torch.tensor([3, 40])
    with torch.no_grad():
        alone = denoiser(x_t, timestep, condition)
        with_estimate = denoiser(x_t, timestep, condition, estimate)
        assert torch.equal(denoiser(x_t, timestep, condition, torch.zeros_like(x_t)), alone)
    assert alone.shape == x_t.shape
    assert (with_estimate - alone).flatten(1).abs().amax(1).min() > 1e-3 * alone.abs().max()
    plain = build(name)
    assert sum(p.numel() for p in plain.parameters()) < sum(p.numel() for p in denoiser.parameters())
    with pytest.raises(ValueError, match=f'{name} takes an estimate of x_0 only with self_conditioning=True'):
        plain(x_t, timestep, condition, estimate)


def test_x_t_is_clamped_and_the_estimate_is_not():
    clipped, plain = (build('MixSTEDenoiser', self_conditioning=True, clip_x_t=clip) for clip in (1.1, None))
    x_t, estimate, condition = inputs(clipped)
    timestep, (x_t, estimate) = torch.tensor([3]), (3 * x_t, 3 * estimate)
    with torch.no_grad():
        expected = plain(x_t.clamp(-1.1, 1.1), timestep, condition, estimate)
        assert torch.equal(clipped(x_t, timestep, condition, estimate), expected)
        assert not torch.equal(plain(x_t, timestep, condition, estimate), expected)


def test_a_network_without_the_option_is_refused_by_name():
    with pytest.raises(TypeError, match="CTGCNDenoiser.*'self_conditioning'"):
        DENOISERS.build({'type': 'CTGCNDenoiser', **CLIP, 'self_conditioning': True})


@pytest.mark.parametrize('kind', ['epsilon', 'sample', 'v_prediction'])
@pytest.mark.parametrize('name', ['MixSTEDenoiser', 'LookupPoseDecoder'])
def test_half_of_the_batches_are_trained_on_the_denoisers_own_estimate(name, kind):
    denoiser, scheduler = build(name, self_conditioning=True), CosineNoiseScheduler(50, prediction_type=kind)
    noise, x_0, condition = inputs(denoiser)
    timestep = torch.tensor([3, 40])
    x_t = scheduler.add_noise(x_0, noise, timestep)
    counted = {1: 0, 2: 0}
    for seed in range(100):
        torch.manual_seed(seed)
        state, *estimate = found = training_state(denoiser, scheduler, x_0, noise, timestep, condition)
        counted[len(found)] += 1
        assert torch.equal(state, x_t)
    assert 35 < counted[1] < 65
    torch.manual_seed(next(seed for seed in range(9) if torch.manual_seed(seed) and torch.rand(()) < 0.5))
    _, estimate = training_state(denoiser, scheduler, x_0, noise, timestep, condition)
    assert not estimate.requires_grad
    with torch.no_grad():
        output = denoiser(x_t, timestep, condition)
    rows = [scheduler.split(output[row], x_t[row], int(t))[0] for row, t in enumerate(timestep)]
    torch.testing.assert_close(estimate, torch.stack(rows), rtol=1e-4, atol=1e-4)


def lifter(sampler: dict, **test_cfg):
    torch.manual_seed(0)
    model = MODELS.build({
        'type': 'PoseDiffusionEstimator',
        'data_preprocessor': {'type': 'LiftingPreprocessor'},
        'conditioner': {'type': 'Keypoints2DConditioner'},
        'denoiser': {'type': 'MixSTEDenoiser', **NETWORKS['MixSTEDenoiser'], 'self_conditioning': True},
        'noise_scheduler': {'type': 'CosineNoiseScheduler', 'num_train_timesteps': 50, 'prediction_type': 'sample'},
        'sampler': sampler,
        'head': {'type': 'LiftingHead'},
        'test_cfg': {'num_inference_steps': 4, **test_cfg},
    })  # fmt: skip
    randomise(model)
    return model.eval()


def calls_of(model, condition) -> list:
    """The arguments and outputs of all denoiser calls of a sampling run with one chunk."""
    calls = []
    handle = model.denoiser.register_forward_hook(
        lambda _, given, output: calls.append((*given[:2], given[3:], output))
    )
    model.sample(condition, 2, generator=torch.Generator().manual_seed(2))
    handle.remove()
    return [call for call in calls if len(call[0]) == 2 * len(condition)]  # without measurements of memory


@pytest.mark.parametrize(
    'sampler', ['DDPMSampler', 'DDIMSampler', 'DPMSolverSampler', 'diffusers.UniPCMultistepScheduler']
)
def test_samplers_hand_over_the_estimate_of_the_step_before(sampler):
    if sampler.startswith('diffusers'):
        pytest.importorskip('diffusers')
    model = lifter({'type': sampler})
    condition = torch.randn(3, 3, 17, 2, generator=torch.Generator().manual_seed(1))
    calls = calls_of(model, condition)
    assert [len(estimate) for _, _, estimate, _ in calls] == [0, 1, 1, 1]
    for (x_t, t, _, output), (_, _, (estimate,), _) in zip(calls, calls[1:], strict=False):
        expected = model.noise_scheduler.split(output, x_t, int(t))[0]
        torch.testing.assert_close(estimate, expected, rtol=0, atol=0)


def test_with_guidance_the_estimate_is_that_of_the_guided_output():
    model = lifter({'type': 'DDIMSampler'}, guidance_scale=2.0)
    condition = torch.randn(3, 3, 17, 2, generator=torch.Generator().manual_seed(1))
    calls = calls_of(model, condition)
    assert [len(estimate) for _, _, estimate, _ in calls] == [0, 0, 1, 1, 1, 1, 1, 1]
    for first in (0, 2, 4):
        with_condition, without = calls[first][3], calls[first + 1][3]
        for later in (first + 2, first + 3):  # the same for the output with and without condition
            torch.testing.assert_close(calls[later][2][0], without + 2 * (with_condition - without))


def test_samples_do_not_depend_on_the_memory_budget():
    condition = torch.randn(3, 3, 17, 2, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(4, 3, 5, 3, 17, 3, generator=torch.Generator().manual_seed(2))
    expected = lifter({'type': 'DDPMSampler'}).sample(condition, 5, noise=noise)
    chunked = lifter({'type': 'DDPMSampler'}, memory_budget_mb=1e-6).sample(condition, 5, noise=noise)
    torch.testing.assert_close(chunked, expected, rtol=1e-4, atol=1e-4)


def test_training_uses_the_estimate():
    model = lifter({'type': 'DDPMSampler'}).train()
    noise, x_0 = torch.randn(2, 2, 3, 17, 3, generator=torch.Generator().manual_seed(1))
    condition, timestep = torch.randn(2, 3, 17, 2), torch.tensor([3, 40])
    for seed in range(4):
        torch.manual_seed(seed)
        loss = model.diffusion_loss(x_0, condition, timestep, noise)
        torch.manual_seed(seed)
        parts = model.denoiser, model.noise_scheduler
        x_t, *estimate = training_state(*parts, x_0, noise, timestep, condition)
        expected = ((model.denoiser(x_t, timestep, condition, *estimate) - x_0) ** 2).mean()
        torch.testing.assert_close(loss, expected)
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
