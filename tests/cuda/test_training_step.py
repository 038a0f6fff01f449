"""A whole training step: loss, backward, clipping, optimizer and log, which waits for the device once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from torch import nn

from posediff.log_copy import LogCopyHook

CLIPPING = {'norm': {'max_norm': 1.0}, 'value': {'type': 'value', 'clip_value': 0.1}, 'none': {}}


def step(model: nn.Module, inputs: torch.Tensor, wrapper: OptimWrapper, copies: bool) -> dict[str, float]:
    """Train once as MMEngine's loop does; what its log then has."""
    hub = MessageHub.get_instance('a training step')
    hub.log_scalars.clear()
    wrapper.message_hub = hub
    runner = SimpleNamespace(optim_wrapper=wrapper, message_hub=hub)
    hooks = [LogCopyHook(), RuntimeInfoHook()] if copies else [RuntimeInfoHook()]
    if copies:
        hooks[0].before_train(runner)
        hooks[0].before_train(runner)  # as when a runner trains twice
    losses = {'loss': model(inputs).square().mean(), 'loss_bias': model(torch.zeros_like(inputs)).abs().mean()}
    wrapper.update_params(sum(losses.values()))
    outputs = {name: loss.detach() for name, loss in losses.items()}
    for hook in hooks:
        hook.after_train_iter(runner, 0, None, outputs)
    return {name: scalar.current() for name, scalar in hub.log_scalars.items()}


@pytest.mark.parametrize('clipping', CLIPPING)
def test_a_step_waits_once(fake_cuda, tools, clipping):
    model = nn.Linear(4, 3).to('cuda')
    inputs = torch.ones(2, 4, device='cuda')
    wrapper = tools.walking(OptimWrapper)(
        torch.optim.SGD(model.parameters(), 0.1), clip_grad=dict(CLIPPING[clipping]) or None
    )
    fake_cuda.waits.clear()
    step(model, inputs, wrapper, copies=True)
    assert fake_cuda.unlisted([('posediff/log_copy.py:after_train_iter', 1)]) == []
    step(model, inputs, wrapper, copies=False)
    assert len(fake_cuda.waits) >= 2  # MMEngine's own way


@pytest.mark.parametrize('clipping', CLIPPING)
def test_the_log_and_the_step_are_as_without_the_hook(clipping):
    outcomes = []
    for copies in (True, False):
        torch.manual_seed(0)
        model = nn.Linear(4, 3)
        wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1), clip_grad=dict(CLIPPING[clipping]) or None)
        logged = step(model, torch.randn(2, 4), wrapper, copies)
        outcomes.append((logged, [one.detach().clone() for one in model.parameters()]))
    (logged, weights), (expected, others) = outcomes
    assert logged == expected
    assert ('train/grad_norm' in logged) == (clipping == 'norm')
    for one, other in zip(weights, others, strict=True):
        assert torch.equal(one, other)
