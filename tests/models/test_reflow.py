"""One round of reflow: training on pairs of noise and the samples of a frozen teacher."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from posediff.diffusion.noise_schedulers import LinearPath
from posediff.diffusion.samplers import DDIMSampler, DDPMSampler
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.reflow import Teacher

CLIPS, POSE = 64, (2, 17, 3)
MEAN, SPREAD = 0.7, 0.4


class GaussianField(BaseDenoiser):
    """The exact velocity of x_0 ~ N(MEAN, SPREAD²)."""

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        t = timestep.reshape(-1, 1, 1, 1)
        c = (t * SPREAD**2 - (1 - t)) / ((1 - t) ** 2 + t**2 * SPREAD**2)
        return MEAN + c * (x_t - t * MEAN)


class AffineField(BaseDenoiser):
    """A velocity that is affine in x_t, with a network of the time for both coefficients."""

    def __init__(self) -> None:
        super().__init__()
        self.coefficients = nn.Sequential(nn.Linear(1, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 2))

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        offset, slope = self.coefficients(timestep[:, None]).reshape(-1, 2, 1, 1, 1).unbind(1)
        return offset + slope * x_t


def student(**train_cfg) -> PoseDiffusionEstimator:
    torch.manual_seed(0)
    model = PoseDiffusionEstimator(
        conditioner={'type': 'Keypoints2DConditioner'},
        denoiser={'type': 'FMPose3DDenoiser', 'num_frames': 2, 'channels': 8, 'num_layers': 1, 'num_heads': 2},
        head={'type': 'LiftingHead'},
        noise_scheduler={'type': 'LinearPath'},
        sampler={'type': 'DDIMSampler'},
        test_cfg={'num_inference_steps': 1},
        train_cfg=train_cfg,
    )
    model.denoiser = AffineField()
    model.teacher = Teacher(GaussianField(), LinearPath(), DDIMSampler(), 30)
    return model.train()


def condition(clips: int = CLIPS) -> Tensor:
    return torch.zeros(clips, 2, 17, 2)


def spread_of(model: PoseDiffusionEstimator, steps: int) -> float:
    x_0 = model.eval().sample(condition(), 4, steps, generator=torch.Generator().manual_seed(9))
    assert float(x_0.mean()) == pytest.approx(MEAN, abs=0.05)
    return float(x_0.std())


def test_after_reflow_one_step_has_the_spread_of_the_teacher():
    """The teacher itself gives its mean in one step, whatever the noise."""
    model = student()
    optimizer = torch.optim.Adam(model.denoiser.parameters(), lr=5e-3)
    for _ in range(300):
        optimizer.zero_grad()
        model.diffusion_loss(torch.zeros(CLIPS, *POSE), condition()).backward()
        optimizer.step()
    plain = student()
    plain.denoiser = GaussianField()
    assert spread_of(plain, 1) < 0.01
    assert spread_of(plain, 2) < 0.6 * SPREAD
    taught = spread_of(plain, 30)
    assert 0.9 * SPREAD < taught < SPREAD
    for steps in (1, 2):
        assert spread_of(model, steps) == pytest.approx(taught, rel=0.1)


def test_the_noise_of_the_sample_is_the_noise_of_the_state():
    model = student(states_per_clip=3)
    seen = []
    model.denoiser.register_forward_pre_hook(lambda _, given: seen.append(given[:2]))
    torch.manual_seed(4)
    loss = model.diffusion_loss(torch.zeros(CLIPS, *POSE), condition())
    torch.manual_seed(4)
    noise = torch.randn(CLIPS, *POSE)
    x_0 = model.teacher.sample(condition(), noise)
    (x_t, times), t = seen[0], seen[0][1].reshape(-1, 1, 1, 1)
    assert len(times.unique()) == 3 * CLIPS
    x_0, noise = x_0.repeat_interleave(3, dim=0), noise.repeat_interleave(3, dim=0)
    torch.testing.assert_close(x_t, t * x_0 + (1 - t) * noise)
    torch.testing.assert_close(loss, (model.denoiser(x_t, times, condition()) - (x_0 - noise)).square().mean())
    assert not x_0.requires_grad


def test_given_states_and_evaluation_use_the_labels():
    model, labels = student(), torch.zeros(CLIPS, *POSE)
    noise, times = torch.randn(CLIPS, *POSE), torch.full((CLIPS,), 0.5)
    given = model.diffusion_loss(labels, condition(), times, noise)
    torch.testing.assert_close(given, (model.denoiser(0.5 * noise, times, condition()) + noise).square().mean())
    torch.manual_seed(1)
    evaluated = model.eval().diffusion_loss(labels, condition())
    model.teacher = None
    torch.manual_seed(1)
    assert torch.equal(model.train().diffusion_loss(labels, condition()), evaluated)


def test_the_teacher_is_no_part_of_the_state_and_keeps_its_weights():
    model = student()
    trained = AffineField()
    kept = copy.deepcopy(trained.state_dict())
    model.teacher = Teacher(trained, LinearPath(), DDIMSampler(), 2)
    assert set(model.state_dict()) == {f'denoiser.{name}' for name in kept}
    model.diffusion_loss(torch.zeros(CLIPS, *POSE), condition()).backward()
    assert all(parameter.grad is None for parameter in trained.parameters())
    assert all(torch.equal(value, kept[name]) for name, value in trained.state_dict().items())
    assert not trained.training


def test_a_stochastic_sampler_makes_no_pairs():
    with pytest.raises(ValueError, match='a deterministic sampler; DDPMSampler draws noise 9 times after x_T'):
        Teacher(GaussianField(), LinearPath(), DDPMSampler(), 10)
