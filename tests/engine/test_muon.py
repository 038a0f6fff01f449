"""The optimizer Muon with AdamW."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from posediff.engine.muon import UPDATE_RMS, MuonAdamW, orthogonalize
from posediff.registry import OPTIMIZERS


@given(seed=st.integers(0, 2**16), rows=st.integers(8, 60), columns=st.integers(8, 60))
def test_singular_values_are_brought_near_one_and_vectors_kept(seed, rows, columns):
    generator = torch.Generator().manual_seed(seed)
    u, _, v = torch.linalg.svd(torch.randn(rows, columns, generator=generator), full_matrices=False)
    values = torch.logspace(0, -1, min(rows, columns))
    got = orthogonalize(u * values @ v)
    assert got.dtype == torch.float32
    inside = u.mT @ got @ v.mT  # diagonal if the singular vectors are kept
    assert (inside - inside.diagonal().diag()).norm() < 0.05 * inside.norm()
    assert inside.diagonal().min() > 0.5
    assert inside.diagonal().max() < 1.3


def test_the_first_step_of_small_parameters_is_that_of_adamw():
    torch.manual_seed(0)
    ours, theirs = nn.Linear(5, 3), nn.Linear(5, 3)
    theirs.load_state_dict(ours.state_dict())
    options = {'lr': 0.1, 'betas': (0.9, 0.95), 'eps': 1e-8, 'weight_decay': 0.02}
    optimizers = MuonAdamW(ours.parameters(), **options), torch.optim.AdamW(theirs.parameters(), **options)
    x = torch.randn(7, 5)
    for _ in range(4):
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_updates_of_large_matrices_have_the_size_of_adamw_and_shrink_weights():
    weight = nn.Parameter(torch.full((80, 64), 2.0))
    optimizer = OPTIMIZERS.build({'type': 'MuonAdamW', 'params': [weight], 'lr': 0.1, 'weight_decay': 0.5})
    weight.grad = torch.randn(80, 64, generator=torch.Generator().manual_seed(0))
    optimizer.step()
    update = (weight.detach() - 2 * (1 - 0.1 * 0.5)) / 0.1
    assert update.square().mean().sqrt() == pytest.approx(UPDATE_RMS, rel=0.2)
    assert (update.flatten() @ weight.grad.flatten()) < 0


def test_training_resumes_exactly():
    def train(steps: int, state: dict | None = None, weight: torch.Tensor | None = None):
        torch.manual_seed(0)
        model = nn.Linear(70, 70)
        optimizer = MuonAdamW(model.parameters(), lr=0.01)
        if state is not None:
            model.weight.data, model.bias.data = weight[0].clone(), weight[1].clone()
            optimizer.load_state_dict(state)
        x = torch.randn(8, 70)
        for _ in range(steps):
            optimizer.zero_grad()
            (model(x) - 1).square().mean().backward()
            optimizer.step()
        return optimizer.state_dict(), [p.detach() for p in model.parameters()]

    _, whole = train(5)
    _, resumed = train(3, *train(2))
    assert all(torch.equal(one, other) for one, other in zip(whole, resumed, strict=True))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'lr': -1.0}, 'lr must not be negative, got -1'),
        ({'momentum': 1.0}, r'momentum must be in \[0, 1\), got 1'),
        ({'betas': (0.9, 1.5)}, r'betas\[1\] must be in'),
        ({'weight_decay': -0.1}, 'weight_decay must not be negative'),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        MuonAdamW(nn.Linear(2, 2).parameters(), **options)
