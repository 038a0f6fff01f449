"""Sampling within a memory budget, with noise that is made when it is needed."""

from __future__ import annotations

import copy
import gc
import weakref

import pytest
import torch

from posediff.diffusion.memory import peak_bytes
from posediff.models import reverse
from posediff.models.mirrored_steps import MirroredSteps
from posediff.registry import MODELS

FRAMES, JOINTS, CLIPS, HYPOTHESES, STEPS = 5, 17, 4, 6, 4
STATE = (FRAMES, JOINTS, 3)


def build(sampler: str = 'DDPMSampler', denoiser: str = 'CTGCNDenoiser', **test_cfg):
    network = {'type': denoiser, 'num_frames': FRAMES, 'channels': 8, 'num_layers': 2, 'condition_channels': 2}
    if denoiser == 'CTGCNDenoiser':
        network['step_channels'] = 8
    torch.manual_seed(0)
    model = MODELS.build({
        'type': 'PoseDiffusionEstimator',
        'data_preprocessor': {'type': 'LiftingPreprocessor'},
        'conditioner': {'type': 'Keypoints2DConditioner'},
        'denoiser': network,
        'noise_scheduler': {'type': 'CosineNoiseScheduler', 'num_train_timesteps': 50, 'max_beta': 0.5},
        'sampler': {'type': sampler},
        'head': {'type': 'LiftingHead'},
        'test_cfg': {'num_inference_steps': STEPS, **test_cfg},
    }).eval()  # fmt: skip
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def condition() -> torch.Tensor:
    return torch.randn(CLIPS, FRAMES, JOINTS, 2, generator=torch.Generator().manual_seed(1))


def generators() -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(CLIPS)]


def all_noise() -> torch.Tensor:
    clips = [torch.randn((STEPS, HYPOTHESES, *STATE), generator=one) for one in generators()]
    return torch.stack(clips, dim=1)


@pytest.mark.parametrize('budget', [0.1, 0.5, 1000])
def test_drawn_noise_is_the_given_noise_in_chunks_of_any_size(budget: float) -> None:
    """0.1 MiB splits a clip's hypotheses, 0.5 MiB the batch."""
    model = build(memory_budget_mb=budget)
    given = model.sample(condition(), HYPOTHESES, noise=all_noise())
    assert torch.equal(model.sample(condition(), HYPOTHESES, generator=generators()), given)
    assert torch.equal(model.draw_noise(condition(), HYPOTHESES, generator=generators()), all_noise())


def test_generators_are_left_behind_the_noise() -> None:
    model = build(memory_budget_mb=0.1, num_hypotheses=HYPOTHESES, flip_test=True)
    mine, whole = generators(), generators()
    model.sample_inputs(condition(), generator=mine)
    for one in whole:
        torch.randn((STEPS, HYPOTHESES, *STATE), generator=one)
    assert all(torch.equal(*(one.get_state() for one in pair)) for pair in zip(mine, whole, strict=True))


@pytest.mark.parametrize('budget', [0.1, 1000])
def test_the_mirrored_run_takes_the_same_noise_mirrored(budget: float) -> None:
    model = build(memory_budget_mb=budget, num_hypotheses=HYPOTHESES, flip_test=True)
    inputs, noise = condition(), all_noise()
    straight = model.sample(inputs, HYPOTHESES, noise=noise)
    mirrored = model.sample(model.head.flip_inputs(inputs), HYPOTHESES, noise=model.head.flip_state(noise))
    expected = (straight + model.head.flip_state(mirrored)) / 2
    assert torch.equal(model.sample_inputs(inputs, generator=generators()), expected)
    assert torch.equal(model.sample_inputs(inputs, noise=noise), expected)


@pytest.mark.parametrize(
    ('denoiser', 'sampler'), [('CTGCNDenoiser', 'DPMSolverSampler'), ('CSDIDenoiser', 'DDPMSampler')]
)
def test_memory_stays_within_the_budget_and_the_poses_drawn(denoiser: str, sampler: str) -> None:
    """The noise of all draws alone would be larger than everything that is held."""
    budget = 0.3
    model = build(sampler, denoiser, memory_budget_mb=budget, num_inference_steps=20)
    poses = CLIPS * HYPOTHESES * STATE[0] * STATE[1] * STATE[2] * 4
    model.sample(condition(), HYPOTHESES, 2, generator=generators())  # measures what a row costs
    used = peak_bytes(lambda: model.sample(condition(), HYPOTHESES, generator=generators()))
    assert used <= budget * reverse.MEGABYTE + poses
    assert used < 20 * poses


def test_measuring_memory_leaves_a_training_model_as_it_was() -> None:
    """Batch norm in training mode moves its statistics in every call, dropout draws: none of it for a trial run."""
    results = []
    fresh = build(memory_budget_mb=0.5).train()
    assert any(isinstance(module, torch.nn.BatchNorm1d) for module in fresh.modules())
    state = copy.deepcopy(fresh.state_dict())
    for _ in range(2):  # measured at the first run only
        fresh.load_state_dict(state)
        torch.manual_seed(3)
        x_0 = fresh.sample(condition(), HYPOTHESES, 2, generator=generators())
        results.append((x_0, copy.deepcopy(fresh.state_dict()), torch.get_rng_state()))
        assert all(module.training for module in fresh.modules())
    (first, before, random), (second, after, random_after) = results
    assert torch.equal(first, second)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(random, random_after)


def test_a_frozen_part_stays_frozen_through_the_measurement() -> None:
    model = build(memory_budget_mb=0.5).train()
    frozen = next(module for module in model.denoiser.modules() if isinstance(module, torch.nn.BatchNorm1d))
    frozen.eval()
    model.sample(condition(), HYPOTHESES, 2, generator=generators())
    assert not frozen.training
    assert model.denoiser.training


def test_half_precision_is_measured_by_itself_and_without_the_cast_weights() -> None:
    def costs(model: torch.nn.Module) -> list[int]:
        return list(reverse._ROW_COST[model.denoiser].values())

    model = build(denoiser='CSDIDenoiser')
    model.sample(condition(), HYPOTHESES, 1, generator=generators())
    (full,) = costs(model)
    with torch.autocast('cpu', torch.bfloat16):
        model.sample(condition(), HYPOTHESES, 1, generator=generators())
    both = costs(model)
    assert both[0] == full
    assert len(both) == 2
    states = reverse.STATES * STATE[0] * STATE[1] * STATE[2] * 4
    weights = sum(parameter.numel() for parameter in model.denoiser.parameters()) * 2
    assert abs(both[1] - full) > 0.05 * (full - states)
    with torch.autocast('cpu', torch.bfloat16):  # the weights were cast before: the same cost
        model.denoiser(torch.zeros(1, *STATE), torch.zeros(1, dtype=torch.int64), condition()[:1])
        reverse._ROW_COST.clear()
        model.sample(condition(), HYPOTHESES, 1, generator=generators())
    assert abs(costs(model)[0] - both[1]) < weights / 10


def test_mirrored_steps_are_measured_once_and_apart_from_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[bool] = []

    def counting(self: reverse.ReverseProcess, *given) -> int:
        measured.append(isinstance(self.denoiser, MirroredSteps))
        return cost(self, *given)

    cost = reverse.ReverseProcess._row_cost
    monkeypatch.setattr(reverse.ReverseProcess, '_row_cost', counting)
    model = build(flip_steps=True)
    for _ in range(2):
        model.sample_inputs(condition(), 2, 1, generator=generators())
        model.sample(condition(), 2, 1, generator=generators())
    assert measured == [True, False]
    assert len(reverse._ROW_COST[model.denoiser]) == 2


def test_what_was_measured_does_not_outlive_the_model() -> None:
    model = build()
    model.sample(condition()[:1], 1, 1, generator=generators()[:1])
    gone = weakref.ref(model.denoiser)
    del model
    gc.collect()
    assert gone() is None
