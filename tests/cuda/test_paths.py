"""Continuous paths on a fake CUDA device: neither a training step nor sampling waits, and times keep their fraction."""

from __future__ import annotations

import copy

import pytest
import torch

from posediff.models.consistency import ConsistencyLoss
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.reflow import Teacher

SAMPLERS = [
    {'type': 'DDIMSampler'},
    {'type': 'DDIMSampler', 'eta': 1.0, 'shift': 0.3},
    {'type': 'DDPMSampler'},
    {'type': 'DPMSolverSampler'},
    {'type': 'MidpointSampler'},
    {'type': 'HeunSampler'},
    {'type': 'StochasticFlowSampler'},
    {'type': 'DiffusersFlowSampler'},
    {'type': 'DiffusersFlowSampler', 'stochastic_sampling': True},
]
PATHS = [
    {'type': 'LinearPath', 'time_input': 'sigma_1000'},
    {'type': 'LinearPath', 'time_input': 'log_snr'},
    {'type': 'CosinePath', 'prediction_type': 'v_prediction', 'time_input': 'sigma_1000'},
    {'type': 'CosineNoiseScheduler', 'num_train_timesteps': 50, 'time_input': 'log_snr'},
]


def build(path: dict, sampler: dict, **parts) -> PoseDiffusionEstimator:
    return PoseDiffusionEstimator(
        conditioner={'type': 'Keypoints2DConditioner'},
        denoiser={'type': 'MixSTEDenoiser', 'num_frames': 3, 'channels': 8, 'depth': 1, 'num_heads': 2},
        head={'type': 'LiftingHead'},
        noise_scheduler=path,
        sampler=sampler,
        test_cfg={'num_inference_steps': 6},
        **parts,
    ).to('cuda')


@pytest.mark.parametrize('sampler', SAMPLERS, ids=lambda config: '-'.join(map(str, config.values())))
@pytest.mark.parametrize('dtype', [None, torch.bfloat16])
def test_no_sampler_waits_on_the_linear_path(fake_cuda, tools, sampler, dtype):
    if sampler['type'].startswith('Diffusers'):
        pytest.importorskip('diffusers')
    model = build({'type': 'LinearPath', 'time_input': 'sigma_1000'}, sampler).eval()
    told = []
    model.denoiser.register_forward_pre_hook(lambda _, given: told.append(given[1]))
    condition = torch.zeros((2, 3, 17, 2), device='cuda')
    fake_cuda.waits.clear()
    with tools.mixed_precision(dtype):
        x_0 = model.sample(condition, num_hypotheses=3, num_inference_steps=6)
    assert x_0.shape == (2, 3, 3, 17, 3)
    assert x_0.device.type == 'cuda'
    assert {time.dtype for time in told} == {torch.float32}
    assert not fake_cuda.waits


def test_a_teacher_does_not_wait_in_training(fake_cuda, tools):
    model = build({'type': 'LinearPath', 'time_input': 'sigma_1000'}, {'type': 'DDIMSampler'}).train()
    model.teacher = Teacher(copy.deepcopy(model.denoiser), model.noise_scheduler, model.sampler, 3)
    x_0, condition = torch.zeros((2, 3, 17, 3), device='cuda'), torch.zeros((2, 3, 17, 2), device='cuda')
    fake_cuda.waits.clear()
    for dtype in (None, torch.bfloat16):
        with tools.mixed_precision(dtype):
            loss = model.diffusion_loss(x_0, condition)
        tools.backward(loss)
        assert all(parameter.grad is not None for parameter in model.parameters())
    assert fake_cuda.unlisted([]) == []


@pytest.mark.parametrize('taught', [False, True])
@pytest.mark.parametrize('path', PATHS, ids=lambda config: '-'.join(map(str, config.values())))
def test_a_consistency_loss_does_not_wait_in_training(fake_cuda, tools, path, taught):
    model = build(path, {'type': 'DDIMSampler'}).train()
    teacher = copy.deepcopy(model.denoiser) if taught else None
    average = {'momentum': 0.9, 'denoiser': model.denoiser} if taught else {}
    model.consistency = ConsistencyLoss(model.noise_scheduler, 5, teacher=teacher, **average)
    x_0, condition = torch.zeros((2, 3, 17, 3), device='cuda'), torch.zeros((2, 3, 17, 2), device='cuda')
    model.diffusion_loss(x_0, condition)  # makes the tables of the intervals, once for each number
    fake_cuda.waits.clear()
    for dtype in (None, torch.bfloat16):
        with tools.mixed_precision(dtype):
            loss = model.diffusion_loss(x_0, condition)
        tools.backward(loss)
        assert all(parameter.grad is not None for parameter in model.parameters())
        model.consistency.update(model.denoiser)
    assert fake_cuda.unlisted([]) == []


@pytest.mark.parametrize('path', PATHS, ids=lambda config: '-'.join(map(str, config.values())))
@pytest.mark.parametrize('sampler', ['DDIMSampler', 'MidpointSampler'])
def test_no_path_waits_in_training_and_sampling(fake_cuda, tools, path, sampler):
    options = {'time_distribution': 'logit_normal', 'loss_weight': 'min_snr'}
    model = build(path, {'type': sampler}, train_cfg=options)
    x_0, condition = torch.zeros((2, 3, 17, 3), device='cuda'), torch.zeros((2, 3, 17, 2), device='cuda')
    model.train()
    fake_cuda.waits.clear()
    loss = model.diffusion_loss(x_0, condition)
    tools.backward(loss)
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.eval().sample(condition, num_hypotheses=3)
    assert fake_cuda.unlisted([]) == []
