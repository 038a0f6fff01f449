"""A start state that depends on the condition: closed forms in training and sampling, and what does not fit it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from posediff.diffusion.gaussian_mixture import GaussianMixture
from posediff.engine.reflow import ReflowHook
from posediff.models.conditioners.base import BaseConditioner
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.heads import LiftingHead
from posediff.models.part_checks import check_parts
from posediff.models.start_state import StartState

LIFTER = {'type': 'GraFormer', 'channels': 8, 'num_layers': 1, 'num_heads': 2}
TIMES = [12, 0]


class NoNoise(BaseDenoiser):
    """Says that the state has no noise, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []
        self.times: list[Tensor] = []

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Any) -> Tensor:
        self.seen.append(x_t)
        self.times.append(timestep)
        return torch.zeros_like(x_t)


class OfTwo(BaseConditioner):
    """The condition (B, T, K, 3) itself, or 1 further right with weight 0.25; standard deviations 0.5, 0.1 and 0."""

    has_start_state = True

    def forward(self, features: Tensor) -> Tensor:
        return features

    def start_state(self, condition: Tensor) -> StartState:
        right = condition + torch.tensor([1.0, 0.0, 0.0])
        mean = torch.stack([condition, right], dim=-2)
        weight = torch.tensor([0.75, 0.25]).expand(mean.shape[:-1])
        return StartState(GaussianMixture(weight, mean, torch.tensor([0.5, 0.1, 0.0]).expand(mean.shape)))


def build(two: bool = False, **changes: Any) -> PoseDiffusionEstimator:
    """A model whose denoiser is NoNoise; with ``two``, its conditioner is OfTwo and its state 3D joints."""
    parts: dict[str, Any] = {
        'conditioner': {'type': 'LiftedPoseConditioner', 'lifter': LIFTER, 'in_channels': 24},
        'denoiser': {'type': 'GraFormerDenoiser', 'channels': 8, 'num_layers': 1},
        'noise_scheduler': {'type': 'LinearNoiseScheduler', 'num_train_timesteps': 51, 'beta_end': 1e-3},
        'sampler': {'type': 'DDIMSampler', 'spacing': TIMES},
        'head': {'type': 'ObservedLiftingHead'},
    }
    model = PoseDiffusionEstimator(**{**parts, **changes}).eval()
    model.denoiser = NoNoise()
    if two:
        model.conditioner, model.head = OfTwo(), LiftingHead()
    return model


def starts(model: PoseDiffusionEstimator) -> list[Tensor]:
    """States at the first time; the memory of a row is measured at another time."""
    return [seen for seen, time in zip(model.denoiser.seen, model.denoiser.times, strict=True) if time == TIMES[0]]


def keypoints(clips: int = 2) -> Tensor:
    return torch.rand(clips, 1, 17, 2, generator=torch.Generator().manual_seed(3)) - 0.5


def test_without_spread_the_sampler_starts_at_the_pose_of_the_lifter() -> None:
    model = build()
    condition = model.conditioner(keypoints())
    sampled = model.sample(condition, num_hypotheses=3)
    (first,), second = starts(model), model.denoiser.seen[-1]
    assert torch.equal(first, condition.repeat_interleave(3, dim=0))
    assert torch.equal(condition[..., :2], keypoints())
    assert torch.equal(condition[:, :, 0, 2:], torch.zeros(2, 1, 3))
    assert [int(time) for time in model.denoiser.times[-2:]] == TIMES
    # DDIM without predicted noise divides by signal(12), and multiplies by that of the next time
    signals = model.noise_scheduler.alpha_bar[TIMES] ** 0.5
    torch.testing.assert_close(second, first * float(signals[1] / signals[0]))
    torch.testing.assert_close(sampled, (first / float(signals[0])).view(2, 3, 1, 17, 5))


def test_mean_and_spread_of_the_start_are_those_of_the_mixture_at_the_first_time() -> None:
    model = build(two=True)
    condition = torch.arange(51.0).view(1, 1, 17, 3)
    model.sample(condition, num_hypotheses=20_000, generator=torch.Generator().manual_seed(0))
    start = torch.cat(starts(model))[:, 0] - condition[0, 0]
    noise = float((1 - model.noise_scheduler.alpha_bar[12]) ** 0.5)
    expected = torch.tensor([(0.25 * 0.75 + (0.5 * noise) ** 2) ** 0.5, 0.1 * noise, 0.0])
    torch.testing.assert_close(start.mean(0), torch.tensor([0.25, 0.0, 0.0]).expand(17, 3), rtol=0, atol=0.02)
    torch.testing.assert_close(start.std(0), expected.expand(17, 3), rtol=0.03, atol=1e-5)


def test_the_memory_budget_does_not_change_the_start() -> None:
    small = build(two=True, test_cfg={'memory_budget_mb': 1e-6})
    large = build(two=True)
    condition = torch.arange(102.0).view(2, 1, 17, 3)
    runs = [model.sample(condition, 5, generator=torch.Generator().manual_seed(0)) for model in (small, large)]
    assert len(small.denoiser.seen) > len(large.denoiser.seen)
    torch.testing.assert_close(*runs)


def test_training_forms_the_state_of_the_released_code() -> None:
    conditioner = {
        'type': 'LiftedPoseConditioner', 'lifter': LIFTER, 'in_channels': 24, 'pose_std': 0.5,
        'keypoints': {'weight': [1.0], 'offset': [[0.25, -0.5]], 'std': [[0.02, 0.03]]},
    }  # fmt: skip
    model = build(conditioner=conditioner)
    condition = model.conditioner(keypoints())
    x_0 = torch.randn(2, 1, 17, 5)
    noise, timestep = torch.randn(2, 1, 17, 5), torch.tensor([3, 40])
    loss = model.diffusion_loss(x_0, condition, timestep, noise)
    clean = torch.cat([keypoints() + torch.tensor([0.25, -0.5]), x_0[..., 2:]], dim=-1)
    epsilon = noise * torch.tensor([0.02, 0.03, 0.5, 0.5, 0.5])
    alpha_bar = model.noise_scheduler.alpha_bar[timestep].float().view(2, 1, 1, 1)
    torch.testing.assert_close(model.denoiser.seen[0], alpha_bar.sqrt() * clean + (1 - alpha_bar).sqrt() * epsilon)
    torch.testing.assert_close(loss, epsilon.square().mean())


def test_several_states_of_a_clip_have_components_of_their_own() -> None:
    model = build(two=True, train_cfg={'states_per_clip': 4})
    condition = torch.zeros(2, 1, 17, 3)
    start = model.conditioner.start_state(condition)
    x_0, epsilon = start.training_pair(torch.ones(8, 1, 17, 3), torch.randn(8, 1, 17, 3), observed_channels=1)
    assert set(x_0[..., 0].unique().tolist()) == {0.0, 1.0}
    assert bool((x_0[..., 1:] == 1).all())
    assert bool((epsilon[..., 2] == 0).all())
    assert model.diffusion_loss(torch.ones(2, 1, 17, 3), condition).isfinite()


def test_a_start_of_another_shape_is_named() -> None:
    model = build()
    model.conditioner = OfTwo()
    condition = torch.zeros(2, 1, 17, 3)
    said = r'start state .* has shape \(1, 17, 3\), but x_0 of the head has \(1, 17, 5\)'
    with pytest.raises(ValueError, match=said):
        model.sample(condition, 1)
    with pytest.raises(ValueError, match=said):
        model.diffusion_loss(torch.zeros(2, 1, 17, 5), condition)


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        (
            {'conditioner': {'type': 'Keypoints2DConditioner'}},
            'ObservedLiftingHead needs .* got Keypoints2DConditioner',
        ),
        ({'sampler': {'type': 'DDPMSampler', 'spacing': TIMES}}, 'LiftedPoseConditioner needs a deterministic sampler'),
        ({'sampler': {'type': 'DDIMSampler', 'eta': 0.5, 'spacing': TIMES}}, 'DDIMSampler adds noise between steps'),
        ({'train_cfg': {'condition_dropout': 0.1}}, 'condition_dropout does not work with the start state'),
        ({'test_cfg': {'guidance_scale': 2.0}}, 'guidance_scale does not work with the start state'),
        (
            {
                'train_cfg': {'own_states': 0.1},
                'noise_scheduler': {'type': 'LinearNoiseScheduler', 'prediction_type': 'sample'},
            },
            'own_states does not work with the start state',
        ),
        ({'denoiser': None, 'noise_scheduler': None, 'sampler': None}, 'start state of .* needs a denoiser'),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build(**changes)


def test_a_mean_of_the_state_is_refused() -> None:
    class WithMean(OfTwo):
        def state_mean(self, condition: Tensor) -> Tensor:
            return condition

    model = build(two=True)
    model.conditioner = WithMean()
    with pytest.raises(ValueError, match='WithMean has a mean of the state and a start state'):
        check_parts(model)


def test_without_noise_the_sampler_starts_at_the_pose_of_the_lifter() -> None:
    parts = {'type': 'LiftedPoseConditioner', 'lifter': LIFTER, 'in_channels': 24, 'noise_share': 1.0}
    model = build(conditioner=parts, test_cfg={'noise_free': True})
    condition = model.conditioner(keypoints())
    model.sample(condition, num_hypotheses=1)
    torch.testing.assert_close(starts(model)[0], condition)


def test_pairs_of_reflow_are_refused() -> None:
    class Runner:
        model = build()

    with pytest.raises(ValueError, match='the conditioner has a start state'):
        ReflowHook('teacher.pth', 2).before_train(Runner())  # type: ignore[arg-type]


@pytest.mark.parametrize('option', ['flip_test', 'flip_hypotheses', 'flip_steps'])
def test_mirrored_inputs_start_from_the_pose_that_is_lifted_from_them(option: str) -> None:
    model = build(test_cfg={option: True})
    views = [keypoints(), model.head.flip_inputs(keypoints())]
    lifted = [model.conditioner(view) for view in views]
    model.sample_inputs(keypoints(), num_hypotheses=2)
    if option == 'flip_steps':  # one start, mirrored for the second call
        lifted[1] = model.head.flip_state(lifted[0])
    rows = 1 if option == 'flip_hypotheses' else 2
    assert len(starts(model)) == 2
    for start, expected in zip(starts(model), lifted, strict=True):
        torch.testing.assert_close(start, expected.repeat_interleave(rows, dim=0))
