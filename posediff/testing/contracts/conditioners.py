"""Contract tests of all registered conditioners, plugins included; see posediff.models.conditioners.base."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from posediff.models.conditioners.base import BaseConditioner
from posediff.registry import CONDITIONERS
from posediff.testing.cases import ContractCase
from posediff.testing.contracts.base import Contract

CLIPS = 3


class Example(NamedTuple):
    """A conditioner in eval mode with random weights, and its input."""

    conditioner: BaseConditioner
    features: Tensor  # (B, …)


def evaluate(conditioner: BaseConditioner, features: Tensor) -> Tensor:
    with torch.no_grad():
        return conditioner(features)


class ConditionerContract(Contract):
    """Tests that run on every registered conditioner."""

    registry = CONDITIONERS

    @pytest.fixture
    def example(self, component: BaseConditioner, case: ContractCase) -> Example:
        features = torch.randn(CLIPS, *case.input_shape, generator=torch.Generator().manual_seed(1))
        return Example(component, features)

    def test_makes_one_condition_per_clip(self, example: Example) -> None:
        condition = evaluate(*example)
        assert condition.shape[0] == CLIPS
        assert condition.dtype == example.features.dtype
        assert condition.isfinite().all()

    def test_clips_are_independent(self, example: Example) -> None:
        conditioner, features = example
        together = evaluate(conditioner, features)
        for clip in range(CLIPS):
            alone = evaluate(conditioner, features[clip : clip + 1])
            torch.testing.assert_close(alone, together[clip : clip + 1], rtol=1e-5, atol=1e-5)

    def test_the_clip_matters(self, example: Example) -> None:
        conditioner, features = example
        assert not torch.allclose(evaluate(conditioner, features), evaluate(conditioner, features + 0.1))

    def test_gradients_reach_every_trainable_parameter(self, example: Example) -> None:
        conditioner, features = example
        trainable = {name: p for name, p in conditioner.named_parameters() if p.requires_grad}
        condition = conditioner.train()(features)
        assert condition.requires_grad == bool(trainable)
        if not trainable:
            return
        (condition * torch.randn(condition.shape, generator=torch.Generator().manual_seed(2))).sum().backward()
        for name, parameter in trainable.items():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name

    def test_state_dict_round_trip(self, example: Example) -> None:
        conditioner, features = example
        expected = evaluate(conditioner, features)
        state = {name: value.clone() for name, value in conditioner.state_dict().items()}
        for parameter in conditioner.parameters():
            nn.init.zeros_(parameter)
        conditioner.load_state_dict(state)
        assert torch.equal(evaluate(conditioner, features), expected)

    def test_full_state_makes_it_ready_to_train(self, example: Example) -> None:
        example.conditioner.load_state_dict(example.conditioner.state_dict())
        assert example.conditioner.ready_to_train() is None

    def test_runs_in_bfloat16(self, example: Example) -> None:
        conditioner, features = example
        expected = evaluate(conditioner, features)
        with torch.autocast('cpu', torch.bfloat16):
            mixed = evaluate(conditioner, features)
        halved = evaluate(conditioner.to(torch.bfloat16), features.bfloat16())
        assert halved.dtype == torch.bfloat16
        for actual in (mixed, halved):
            difference = (actual.float() - expected).abs().max()
            assert difference < 0.1 * expected.abs().max()
