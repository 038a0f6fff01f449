"""A whole training step: loss, backward, clipping, optimizer and log, which waits for the device once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import nn

from posediff.engine.log_copy import LogCopyHook

CLIPPING = {'norm': {'max_norm': 1.0}, 'value': {'type': 'value', 'clip_value': 0.1}, 'none': {}}


class Regression(BaseModel):
    """A linear layer with two losses."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, inputs: torch.Tensor, mode: str = 'loss') -> dict[str, torch.Tensor]:
        return {
            'loss': self.layer(inputs).square().mean(),
            'loss_bias': self.layer(torch.zeros_like(inputs)).abs().mean(),
        }


@pytest.fixture(scope='module')
def step(tools):
    """One training step with or without the hook that copies the log at once; what the log then has."""

    def run(model: nn.Module, inputs: torch.Tensor, wrapper: OptimWrapper, copies: bool) -> dict[str, float]:
        hooks = [LogCopyHook(), tools.info_hook()] if copies else [tools.info_hook()]
        if copies:
            hooks[0].before_train(SimpleNamespace(optim_wrapper=wrapper))  # as when a runner trains twice
        return tools.train_step(model, wrapper, {'inputs': inputs}, hooks)

    return run


@pytest.mark.parametrize('clipping', CLIPPING)
def test_a_step_waits_once(fake_cuda, tools, step, clipping):
    model = Regression().to('cuda')
    inputs = torch.ones(2, 4, device='cuda')
    wrapper = tools.walking(OptimWrapper)(
        torch.optim.SGD(model.parameters(), 0.1), clip_grad=dict(CLIPPING[clipping]) or None
    )
    fake_cuda.waits.clear()
    step(model, inputs, wrapper, copies=True)
    assert fake_cuda.unlisted(tools.log) == []
    step(model, inputs, wrapper, copies=False)
    assert len(fake_cuda.waits) >= 2  # MMEngine's own way


@pytest.mark.parametrize('clipping', CLIPPING)
def test_the_log_and_the_step_are_as_without_the_hook(step, clipping):
    outcomes = []
    for copies in (True, False):
        torch.manual_seed(0)
        model = Regression()
        wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1), clip_grad=dict(CLIPPING[clipping]) or None)
        logged = step(model, torch.randn(2, 4), wrapper, copies)
        outcomes.append((logged, [one.detach().clone() for one in model.parameters()]))
    (logged, weights), (expected, others) = outcomes
    assert logged == expected
    assert ('train/grad_norm' in logged) == (clipping == 'norm')
    for one, other in zip(weights, others, strict=True):
        assert torch.equal(one, other)
