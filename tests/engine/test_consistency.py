"""Consistency training and distillation by the hook, on Gaussian data, whose consistency function is known."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from torch import Tensor, nn

from posediff.diffusion.samplers import DDIMSampler, StochasticFlowSampler
from posediff.engine.consistency import ConsistencyHook, num_intervals
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.reflow import Teacher
from posediff.registry import HOOKS

CLIPS, POSE = 64, (2, 17, 3)
MEAN, SPREAD = 0.7, 0.4


class GaussianField(BaseDenoiser):
    """The exact velocity of x_0 ~ N(mean, SPREAD²) on the linear path."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(MEAN))

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        t = timestep.reshape(-1, 1, 1, 1)
        c = (t * SPREAD**2 - (1 - t)) / ((1 - t) ** 2 + t**2 * SPREAD**2)
        return self.mean + c * (x_t - t * self.mean)


class AffineField(BaseDenoiser):
    """A velocity that is affine in x_t, with a network of the time for both coefficients."""

    def __init__(self) -> None:
        super().__init__()
        self.coefficients = nn.Sequential(nn.Linear(1, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 2))

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        offset, slope = self.coefficients(4 * timestep[:, None] - 2).reshape(-1, 2, 1, 1, 1).unbind(1)
        return offset + slope * x_t


def consistency_function(x_t: Tensor, t: float) -> Tensor:
    return MEAN + SPREAD * (x_t - t * MEAN) / ((t * SPREAD) ** 2 + (1 - t) ** 2) ** 0.5


def build(network: type[BaseDenoiser] = AffineField, **parts) -> PoseDiffusionEstimator:
    torch.manual_seed(0)
    model = PoseDiffusionEstimator(**{
        'conditioner': {'type': 'Keypoints2DConditioner'},
        'denoiser': {'type': 'FMPose3DDenoiser', 'num_frames': 2, 'channels': 8, 'num_layers': 1, 'num_heads': 2},
        'head': {'type': 'LiftingHead'},
        'noise_scheduler': {'type': 'LinearPath'},
        'sampler': {'type': 'DDIMSampler'},
        **parts,
    })  # fmt: skip
    if model.denoiser is not None:
        model.denoiser = network()
    return model.train()


def condition(clips: int = CLIPS) -> Tensor:
    return torch.zeros(clips, 2, 17, 2)


def train(hook: ConsistencyHook | None, iterations: int, clips: int = 16) -> tuple[PoseDiffusionEstimator, list[float]]:
    """Train an affine field from random weights, by flow matching without a hook; return it with the losses."""
    model, losses = build(), []
    runner = SimpleNamespace(model=model, iter=0, max_iters=iterations)
    hook = Hook() if hook is None else hook
    hook.before_train(runner)
    optimizer = torch.optim.Adam(model.denoiser.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, iterations)
    for runner.iter in range(iterations):
        hook.before_train_iter(runner, runner.iter)
        optimizer.zero_grad()
        loss = model.diffusion_loss(MEAN + SPREAD * torch.randn(clips, *POSE), condition(clips))
        loss.backward()
        optimizer.step()
        schedule.step()
        hook.after_train_iter(runner, runner.iter)
        losses.append(loss.detach())
    hook.after_train(runner)
    assert model.consistency is None
    return model.eval(), torch.stack(losses).tolist()


def samples(model: PoseDiffusionEstimator, steps: int) -> Tensor:
    return model.eval().sample(condition(), 4, steps, generator=torch.Generator().manual_seed(9))


def check_consistency_function(model: PoseDiffusionEstimator, tolerance: float) -> None:
    generator = torch.Generator().manual_seed(8)
    for t in (0.0, 0.3, 0.6, 0.9):
        x_0, noise = (torch.randn(CLIPS, *POSE, generator=generator) for _ in range(2))
        x_t = t * (MEAN + SPREAD * x_0) + (1 - t) * noise
        with torch.no_grad():
            found = x_t + (1 - t) * model.denoiser(x_t, torch.full((CLIPS,), t), condition())
        assert (found - consistency_function(x_t, t)).square().mean().sqrt() < tolerance


@pytest.fixture(scope='module')
def on_labels() -> tuple[PoseDiffusionEstimator, list[float]]:
    """A model that was trained on labels, and its losses."""
    return train(ConsistencyHook(intervals=(10, 160)), 400)


def test_trained_on_labels_one_step_samples_the_data(on_labels):
    """One step of the exact field gives its mean, whatever the noise."""
    model, losses = on_labels
    assert sum(losses[-20:]) < 0.1 * sum(losses[:20])
    check_consistency_function(model, 0.08 * SPREAD)
    assert samples(build(GaussianField), 1).std() < 0.01
    assert float(samples(model, 1).mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(samples(model, 1).std()) == pytest.approx(SPREAD, rel=0.08)


def test_between_two_calls_the_noise_must_be_renewed(on_labels):
    """DDIM adds x_0 and the noise that it was made of, as if they were independent: too much spread."""
    model, _ = on_labels
    spread = {}
    for sampler in (DDIMSampler(), StochasticFlowSampler()):
        model.sampler = sampler
        spread[type(sampler)] = float(samples(model, 2).std())
    model.sampler = DDIMSampler()
    assert spread[StochasticFlowSampler] == pytest.approx(SPREAD, rel=0.08)
    assert spread[DDIMSampler] > 1.2 * SPREAD


@pytest.fixture(scope='module')
def flow(tmp_path_factory) -> tuple[PoseDiffusionEstimator, str]:
    """A model that was trained by flow matching, and its checkpoint."""
    path = tmp_path_factory.mktemp('flow') / 'flow.pth'
    model, _ = train(None, 300)
    torch.save({'state_dict': model.state_dict()}, path)
    return model, str(path)


@pytest.mark.parametrize('momentum', [0.0, 0.8])
def test_distilled_one_step_gives_what_the_teacher_gives_in_all_its_steps(flow, momentum):
    teacher, checkpoint = flow
    options = {'checkpoint': checkpoint, 'intervals': (16, 16), 'momentum': momentum, 'huber': 0.1}
    model, losses = train(HOOKS.build({'type': 'ConsistencyHook', **options}), 400)
    assert sum(losses[-20:]) < 0.05 * sum(losses[:20])
    assert samples(teacher, 1).std() < 0.2 * SPREAD
    assert samples(teacher, 16).std() == pytest.approx(0.9 * SPREAD, rel=0.1)  # Euler's method loses some
    # noise by noise
    assert (samples(model, 1) - samples(teacher, 16)).square().mean().sqrt() < 0.05 * SPREAD


def test_the_number_of_intervals_doubles_in_eight_equal_parts_of_the_training():
    found = [num_intervals(k, 800, 10, 1280) for k in range(800)]
    assert found == [10 * 2**part for part in range(8) for _ in range(100)]
    assert {num_intervals(k, 7, 18, 18) for k in range(7)} == {18}
    assert num_intervals(3, 4, 10, 1280) == 80  # a training of fewer iterations than parts
    assert num_intervals(99, 100, 10, 30) == 30


def test_the_hook_follows_the_training_and_leaves_the_state_dict_alone(flow):
    model, checkpoint = build(), flow[1]
    hook, names = ConsistencyHook(checkpoint, (2, 8), momentum=0.5), set(model.state_dict())
    runner = SimpleNamespace(model=model, iter=0, max_iters=9)
    hook.before_train(runner)
    assert set(model.state_dict()) == names
    for runner.iter, expected in ((0, 2), (3, 4), (8, 8)):
        hook.before_train_iter(runner, 0)
        assert model.consistency.num_intervals == expected
    stored = {}
    hook.before_save_checkpoint(runner, stored)
    first = {name: value.clone() for name, value in stored['consistency_target'].items()}
    assert all(torch.equal(value, model.denoiser.state_dict()[name]) for name, value in first.items())
    with torch.no_grad():
        model.denoiser.coefficients[0].bias += 1
    hook.after_train_iter(runner, 0)
    moved = model.consistency.target.coefficients[0].bias - first['coefficients.0.bias']
    torch.testing.assert_close(moved, torch.full_like(moved, 0.5))
    hook.after_load_checkpoint(runner, {'consistency_target': first})
    hook.before_train(runner)  # resumed
    assert torch.equal(model.consistency.target.coefficients[0].bias, first['coefficients.0.bias'])


def test_given_states_and_evaluation_use_the_loss_of_the_model():
    model, labels = build(), torch.zeros(CLIPS, *POSE)
    noise, times = torch.randn(CLIPS, *POSE), torch.full((CLIPS,), 0.5)
    ConsistencyHook().before_train(SimpleNamespace(model=model, iter=0))
    given = model.diffusion_loss(labels, condition(), times, noise)
    torch.testing.assert_close(given, (model.denoiser(0.5 * noise, times, condition()) + noise).square().mean())
    evaluated = []
    for consistency in (model.consistency, None):
        model.consistency = consistency
        torch.manual_seed(1)
        evaluated.append(model.eval().diffusion_loss(labels, condition()))
    assert torch.equal(*evaluated)


def test_several_states_share_a_condition():
    model = build(train_cfg={'states_per_clip': 3})
    ConsistencyHook().before_train(SimpleNamespace(model=model, iter=0))
    seen = []
    model.denoiser.register_forward_pre_hook(lambda _, given: seen.append((len(given[0]), len(given[2]))))
    model.diffusion_loss(torch.zeros(CLIPS, *POSE), condition(), weight=torch.ones(CLIPS, 2, 17, 1)).backward()
    assert seen == [(3 * CLIPS, CLIPS)] * 2


WITHOUT = {'denoiser': None, 'noise_scheduler': None, 'sampler': None,
           'head': {'type': 'LiftingHead', 'in_channels': 2}}  # fmt: skip
TABLE = {'noise_scheduler': {'type': 'CosineNoiseScheduler', 'num_train_timesteps': 50, 'prediction_type': 'sample',
                             'time_input': 'time'}}  # fmt: skip


@pytest.mark.parametrize(
    ('options', 'parts', 'said'),
    [
        ({'intervals': (10,)}, {}, r'intervals must be \(first, last\), got \(10,\)'),
        ({'intervals': (0, 9)}, {}, 'the first of intervals must be a whole number of at least 1, got 0'),
        ({'intervals': (9, 5)}, {}, 'the last of intervals must be a whole number of at least 9, got 5'),
        ({'momentum': 1.0}, {}, r'momentum must be in \[0, 1\), got 1.0'),
        ({'huber': 0.0}, {}, 'huber must be positive, got 0.0'),
        ({}, WITHOUT, 'needs a model with a denoiser'),
        ({}, TABLE, r'intervals=\(10, 1280\) do not fit CosineNoiseScheduler: .* must be in 1..50, got 1280'),
        ({}, {'train_cfg': {'loss_weight': 'min_snr'}}, "train_cfg.loss_weight='min_snr' does not apply to its loss"),
        ({'intervals': (5, 50)}, TABLE | {'train_cfg': {'own_states': 0.5}}, 'train_cfg.own_states=0.5 does not apply'),
    ],
)
def test_what_does_not_fit_is_named(options, parts, said):
    with pytest.raises(ValueError, match=f'ConsistencyHook.*{said}'):
        ConsistencyHook(**options).before_train(SimpleNamespace(model=build(**parts), iter=0))


def test_other_losses_and_states_are_refused(flow):
    model, hook = build(), ConsistencyHook()
    model.denoiser.self_conditioning = True
    with pytest.raises(ValueError, match='self_conditioning takes the estimate of an earlier call'):
        hook.before_train(SimpleNamespace(model=model, iter=0))
    model.denoiser.self_conditioning = False
    model.conditioner.has_start_state = True
    with pytest.raises(ValueError, match='ConsistencyHook starts from standard normal noise'):
        hook.before_train(SimpleNamespace(model=model, iter=0))
    model.conditioner.has_start_state = False
    model.teacher = Teacher(GaussianField(), model.noise_scheduler, DDIMSampler(), 2)
    with pytest.raises(ValueError, match='ConsistencyHook and ReflowHook train on different pairs'):
        hook.before_train(SimpleNamespace(model=model, iter=0))
    with pytest.raises(ValueError, match=r'the denoiser in .*flow.pth does not fit the one in the config'):
        ConsistencyHook(flow[1]).before_train(SimpleNamespace(model=build(GaussianField), iter=0))
    with pytest.raises(ValueError, match='the checkpoint to resume from has no consistency_target'):
        ConsistencyHook(momentum=0.9).before_train(SimpleNamespace(model=build(), iter=7))
