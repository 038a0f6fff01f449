"""The consistency loss against its definition, written out row by row."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from posediff.diffusion.noise_schedulers import CosineNoiseScheduler, CosinePath, GaussianPath, LinearPath
from posediff.diffusion.samplers import DDIMSampler
from posediff.diffusion.samplers.base import Step
from posediff.models.consistency import ConsistencyLoss
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.options import TrainOptions

ROWS, STATE, INTERVALS, HUBER = 24, (2, 5, 3), 4, 0.01
PATHS = [
    LinearPath(), LinearPath('sample'), LinearPath('v_prediction'), CosinePath(), CosineNoiseScheduler(50),
    CosineNoiseScheduler(50, prediction_type='sample'), CosineNoiseScheduler(50, prediction_type='v_prediction'),
]  # fmt: skip


class Network(BaseDenoiser):
    """A small function of state, time and condition."""

    def __init__(self, seed: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.mix = nn.Linear(3, 3)
        self.drop = nn.Dropout(dropout)
        self.mix.weight.data = torch.randn(3, 3, generator=torch.Generator().manual_seed(seed)) / 3

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        time = torch.cos(timestep.float()).reshape(-1, 1, 1, 1)
        return self.drop(self.mix(x_t)) + time + condition


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(ROWS, *STATE, generator=generator), torch.randn(ROWS, 1, 1, 3, generator=generator)


def by_rows(
    path: GaussianPath, network: BaseDenoiser, x_0: Tensor, condition: Tensor, teacher: BaseDenoiser | None = None
) -> Tensor:
    """Return the loss that follows the same random numbers."""
    noise = torch.randn_like(x_0)
    drawn, pairs = path.draw_timesteps(len(x_0), x_0.device), path.walk(INTERVALS)
    lengths = [path.sigma(begin) - path.sigma(end) for begin, end in pairs]
    total = torch.zeros(())

    def estimate(denoiser: BaseDenoiser, x: Tensor, t: float, row: int) -> tuple[Tensor, Tensor]:
        time = path.network_time(path.as_tensor(t, x.device))
        return path.split(denoiser(x, time, condition[row : row + 1]), x, t)

    for row, time in enumerate(drawn.tolist()):
        ((begin, end), length), = (
            found for found in zip(pairs, lengths, strict=True)
            if found[0][0] <= time < found[0][1] or found[0][0] >= time > found[0][1]
        )  # fmt: skip
        now, then = path.level(begin), path.level(end)
        clean, epsilon = x_0[row : row + 1], noise[row : row + 1]
        x_t = now.signal * clean + now.noise * epsilon
        x_s = then.signal * clean + then.noise * epsilon
        if teacher is not None:
            predicted = estimate(teacher, x_t, begin, row)
            x_s = DDIMSampler().step(Step(x_t, *predicted, now.signal, now.noise, then.signal, then.noise), None)
        target = x_s if end == path.clean else estimate(network, x_s, end, row)[0]
        difference = estimate(network, x_t, begin, row)[0] - target.detach()
        distance = (difference.square().mean() + HUBER**2).sqrt() - HUBER
        total = total + sum(lengths) / INTERVALS / length * distance
    return total / len(x_0)


@pytest.mark.parametrize('taught', [False, True])
@pytest.mark.parametrize('path', PATHS, ids=lambda path: f'{type(path).__name__}-{path.prediction_type}')
def test_the_loss_and_its_gradient_are_those_of_the_definition(path, taught):
    network, teacher, (x_0, condition) = Network(), Network(1) if taught else None, batch()
    loss = ConsistencyLoss(path, INTERVALS, HUBER, teacher=teacher)
    torch.manual_seed(2)
    found = loss(network, x_0, condition, TrainOptions())
    found.backward()
    gradient = network.mix.weight.grad.clone()
    network.zero_grad()
    torch.manual_seed(2)
    expected = by_rows(path, network, x_0, condition, teacher)
    expected.backward()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(gradient, network.mix.weight.grad, rtol=1e-3, atol=1e-5)
    assert float(gradient.norm()) > 0
    if teacher is not None:
        assert teacher.mix.weight.grad is None


@pytest.mark.parametrize('masked', [False, True])
def test_a_large_huber_is_the_squared_error_and_masked_elements_do_not_count(masked):
    (x_0, condition), network, huber = batch(), Network(), 30.0
    weight = torch.tensor([0.0, 1.0]).reshape(1, 2, 1, 1) if masked else None
    torch.manual_seed(3)
    found = ConsistencyLoss(LinearPath(), 1, huber)(network, x_0, condition, TrainOptions(), weight)
    torch.manual_seed(3)
    noise = torch.randn_like(x_0)
    error = noise + network(noise, torch.zeros(ROWS), condition) - x_0  # x_0 = x_t + (1 - t)·velocity at t = 0
    squares = error.square() if weight is None else weight * error.square()
    torch.testing.assert_close(found, squares.mean() / (2 * huber), rtol=0.01, atol=0)


def test_the_moving_average_follows_the_trained_network():
    network = Network()
    loss = ConsistencyLoss(LinearPath(), 3, HUBER, momentum=0.75, denoiser=network)
    before = network.mix.weight.detach().clone()
    with torch.no_grad():
        network.mix.weight += 4
    torch.manual_seed(0)
    behind = loss(network, *batch(), TrainOptions())
    loss.update(network)
    torch.testing.assert_close(loss.target.mix.weight, before + 1)
    torch.manual_seed(0)
    assert not torch.equal(behind, loss(network, *batch(), TrainOptions()))
    assert not any(parameter.requires_grad for parameter in loss.target.parameters())
    with pytest.raises(ValueError, match=r'momentum=0.5 needs the denoiser'):
        ConsistencyLoss(LinearPath(), 3, momentum=0.5)


def test_targets_have_no_dropout_and_the_modes_of_the_network_remain():
    network = Network(dropout=0.5).train()
    seen = []
    network.drop.register_forward_pre_hook(lambda module, _: seen.append(module.training))
    ConsistencyLoss(LinearPath(), 3, HUBER)(network, *batch(), TrainOptions())
    assert seen == [False, True]
    assert network.training
    assert network.drop.training


def test_a_number_of_intervals_may_change():
    loss, (x_0, condition) = ConsistencyLoss(LinearPath(), 2, HUBER), batch()
    found = []
    for number in (2, 50, 2):
        loss.num_intervals = number
        torch.manual_seed(1)
        found.append(float(loss(Network(), x_0, condition, TrainOptions())))
    assert found[0] == found[2] != found[1]
