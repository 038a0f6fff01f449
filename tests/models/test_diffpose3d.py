"""DiffPose for 3D poses at tiny size: it trains, lifts clips, and refines what its lifter says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import posediff
from posediff.models.estimator import PoseDiffusionEstimator

SHAPE = (1000, 1000)
TINY = {
    'conditioner.lifter.channels': 8, 'conditioner.lifter.num_layers': 1, 'conditioner.in_channels': 24,
    'denoiser.channels': 16, 'denoiser.num_layers': 1,
}  # fmt: skip


def build(**options: Any) -> PoseDiffusionEstimator:
    torch.manual_seed(0)
    changes = {f'model.{name}': value for name, value in (TINY | options).items()}
    return posediff.init_model('diffpose3d_1f_h36m', cfg_options=changes)


def walk(frames: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (rng.uniform(300, 700, (1, 17, 2)) + np.cumsum(rng.normal(0, 3, (frames, 1, 2)), axis=0)).astype(np.float32)


def lift(model: PoseDiffusionEstimator, **options: Any) -> dict[str, np.ndarray]:
    return posediff.lift_keypoints(model, walk(7), skeleton='h36m17', img_shape=SHAPE, **options)


def pairs() -> tuple[Tensor, Tensor]:
    """2D joints and the poses that they are the projections of."""
    pose = 0.4 * torch.randn(64, 1, 17, 3, generator=torch.Generator().manual_seed(2))
    pose = pose - pose[:, :, :1]
    keypoints = pose[..., :2] / (4 + pose[..., 2:])
    return keypoints, pose


def test_training_lowers_the_loss_and_leaves_the_lifter_as_it_is() -> None:
    model = build(**{'denoiser.dropout': 0.0}).train()
    frozen = {name: value.clone() for name, value in model.conditioner.state_dict().items()}
    keypoints, pose = pairs()
    x_0 = torch.nn.functional.pad(pose, (2, 0))
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(80):
        optimizer.zero_grad()
        loss = model.diffusion_loss(x_0, model.conditioner(keypoints))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    assert all(torch.equal(value, frozen[name]) for name, value in model.conditioner.state_dict().items())


def test_a_clip_is_lifted_from_the_pose_of_the_lifter_without_randomness() -> None:
    model = build()
    first, second = lift(model, seed=0), lift(model, seed=1)
    assert first['joints_3d'].shape == (7, 17, 3)
    np.testing.assert_array_equal(first['joints_3d'], second['joints_3d'])
    # a network that finds no noise only divides by signal(12)
    torch.nn.init.zeros_(model.denoiser.regression.linear.weight)
    inputs = torch.from_numpy(walk(7) * 2 / SHAPE[0] - 1)[:, None]
    expected = 1000 * model.conditioner(inputs)[:, 0, :, 2:] / model.noise_scheduler.alpha_bar[12] ** 0.5
    np.testing.assert_allclose(lift(model)['joints_3d'], expected, rtol=1e-4, atol=0.01)


@pytest.mark.parametrize('share', [0.5, 1.0])
def test_hypotheses_differ_by_the_share_of_the_noise(share: float) -> None:
    model = build(**{'conditioner.noise_share': share})
    torch.nn.init.zeros_(model.denoiser.regression.linear.weight)
    spread = lift(model, num_hypotheses=400)['joints_3d_std']
    alpha_bar = float(model.noise_scheduler.alpha_bar[12])
    # three coordinates of standard deviation 1 m · share · noise(12) / signal(12)
    expected = 1000 * share * (3 * (1 - alpha_bar) / alpha_bar) ** 0.5
    np.testing.assert_allclose(spread, expected, rtol=0.15)
    assert lift(model, num_hypotheses=2, seed=1)['joints_3d_std'].shape == (7, 17)
