"""Start states on a fake CUDA device: neither their draws in training nor those in sampling wait."""

from __future__ import annotations

import pytest
import torch

from posediff.models.estimator import PoseDiffusionEstimator

ONE = {'weight': [1.0], 'offset': [[0.0, 0.0]], 'std': [[0.01, 0.01]]}
TWO = {'weight': [0.8, 0.2], 'offset': [[0.0, 0.0], [0.1, 0.0]], 'std': [[0.01, 0.01], [0.1, 0.1]]}
LIFTER = {'type': 'GraFormer', 'channels': 8, 'num_layers': 1, 'num_heads': 2}


@pytest.mark.parametrize('keypoints', [ONE, TWO], ids=['one', 'two'])
@pytest.mark.parametrize('share', [0.0, 1.0])
@pytest.mark.parametrize('dtype', [None, torch.bfloat16])
def test_no_start_state_waits_in_training_and_sampling(fake_cuda, tools, keypoints, share, dtype):
    conditioner = {'keypoints': keypoints, 'noise_share': share, 'lifter': LIFTER, 'in_channels': 24}
    model = PoseDiffusionEstimator(
        conditioner={'type': 'LiftedPoseConditioner', **conditioner},
        denoiser={'type': 'GraFormerDenoiser', 'channels': 8, 'num_layers': 1},
        head={'type': 'ObservedLiftingHead'},
        noise_scheduler={'type': 'LinearNoiseScheduler', 'num_train_timesteps': 51, 'beta_end': 1e-3},
        sampler={'type': 'DDIMSampler', 'spacing': [12, 0]},
        train_cfg={'states_per_clip': 2},
        test_cfg={'flip_test': True},
    ).to('cuda')
    inputs, x_0 = torch.zeros((2, 1, 17, 2), device='cuda'), torch.zeros((2, 1, 17, 5), device='cuda')
    fake_cuda.waits.clear()
    with tools.mixed_precision(dtype):
        loss = model.train().diffusion_loss(x_0, model.conditioner(inputs))
    tools.backward(loss)
    assert all(parameter.grad is not None for parameter in model.denoiser.parameters())
    with tools.mixed_precision(dtype):
        sampled = model.eval().sample_inputs(inputs, num_hypotheses=3)
    assert sampled.shape == (2, 3, 1, 17, 5)
    assert sampled.device.type == 'cuda'
    assert fake_cuda.unlisted([]) == []
