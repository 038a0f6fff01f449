"""Contract tests of all registered denoisers, plugins included; see posediff.models.denoisers.base."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.layers.timestep_embedding import TabulatedStepEmbedding
from posediff.registry import DENOISERS
from posediff.testing.cases import ContractCase, randomise
from posediff.testing.contracts.base import Contract

CLIPS, HYPOTHESES = 2, 3
ROWS = CLIPS * HYPOTHESES


class Example(NamedTuple):
    """A denoiser in eval mode with random weights, and its inputs."""

    denoiser: BaseDenoiser
    x_t: Tensor  # (N, …)
    timestep: Tensor  # (N,) int64, or float32 with ``continuous_time``
    condition: Tensor  # (B, …)


def repeated(condition: Tensor) -> Tensor:
    """Repeat a condition (B, …) for every hypothesis, to (N, …)."""
    return condition.repeat_interleave(HYPOTHESES, dim=0)


def assert_same(actual: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    """Check that two tensors differ by at most ``tolerance`` times the largest absolute value of ``expected``."""
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance * expected.abs().max().item())


def later(timestep: Tensor) -> Tensor:
    """Return other times."""
    return timestep + (0.1 if timestep.is_floating_point() else 1)


def evaluate(example: Example, **changes: Any) -> Tensor:
    """Return the output of the denoiser without gradient; ``changes`` replace fields of the example."""
    denoiser, x_t, timestep, condition = example._replace(**changes)
    with torch.no_grad():
        return denoiser(x_t, timestep, condition)


class DenoiserContract(Contract):
    """Tests that run on every registered denoiser."""

    registry = DENOISERS

    @pytest.fixture
    def example(self, component: BaseDenoiser, case: ContractCase) -> Example:
        generator = torch.Generator().manual_seed(1)
        x_t = torch.randn(ROWS, *case.state_shape, generator=generator)
        condition = torch.randn(CLIPS, *case.condition_shape, generator=generator)
        timestep = (torch.arange(ROWS) + 1) / (ROWS + 2) if case.continuous_time else torch.arange(ROWS) + 2
        return Example(component, x_t, timestep, condition)

    def test_keeps_shape_and_dtype(self, example: Example) -> None:
        output = evaluate(example)
        assert output.shape == example.x_t.shape
        assert output.dtype == example.x_t.dtype
        assert output.isfinite().all()

    def test_inputs_are_not_changed(self, example: Example) -> None:
        x_t, condition = example.x_t.clone(), example.condition.clone()
        evaluate(example)
        assert torch.equal(example.x_t, x_t)
        assert torch.equal(example.condition, condition)

    @pytest.mark.parametrize('training', [False, True])
    def test_gradients_reach_every_trainable_parameter(
        self, example: Example, case: ContractCase, training: bool
    ) -> None:
        denoiser, x_t, timestep, condition = example
        denoiser.train(training)
        condition.requires_grad_()
        weights = torch.randn(x_t.shape, generator=torch.Generator().manual_seed(2))
        unreached = {name for name, parameter in denoiser.named_parameters() if parameter.requires_grad}
        assert unreached
        for seed in range(8):  # in a narrow network a ReLU may be zero for all inputs; not under every seed
            denoiser.zero_grad()
            (randomise(denoiser, seed=seed)(x_t, timestep, condition) * weights).sum().backward()
            gradients = {name: p.grad for name, p in denoiser.named_parameters() if p.requires_grad}
            assert not [name for name, grad in gradients.items() if grad is None or not grad.isfinite().all()]
            unreached -= {name for name, grad in gradients.items() if grad.abs().max() > 0}
        assert not unreached
        if case.uses_condition:
            assert condition.grad is not None
            assert condition.grad.abs().max() > 0

    def test_evaluation_with_and_without_gradient_agree(self, example: Example) -> None:
        denoiser, x_t, timestep, condition = example
        assert_same(evaluate(example), denoiser(x_t, timestep, condition).detach())

    def test_rows_are_independent(self, example: Example) -> None:
        together = evaluate(example)
        for row in (0, ROWS - 1):
            clip = row // HYPOTHESES
            alone = evaluate(
                example,
                x_t=example.x_t[row : row + 1],
                timestep=example.timestep[row : row + 1],
                condition=example.condition[clip : clip + 1],
            )
            assert_same(alone, together[row : row + 1])

    def test_every_input_matters(self, example: Example, case: ContractCase) -> None:
        output = evaluate(example)
        changes = {'x_t': example.x_t + 0.1, 'timestep': later(example.timestep)}
        if case.uses_condition:
            changes['condition'] = example.condition + 0.1
        for name, value in changes.items():
            changed = evaluate(example, **{name: value})
            assert (changed - output).flatten(1).abs().amax(dim=1).min() > 1e-4 * output.abs().max()

    def test_condition_of_batch_b_equals_batch_n(self, example: Example) -> None:
        assert_same(evaluate(example, condition=repeated(example.condition)), evaluate(example))

    def test_condition_with_a_wrong_batch_size_is_an_error(self, example: Example) -> None:
        with pytest.raises(ValueError, match='condition'):
            evaluate(example, condition=example.condition[:1].expand(ROWS - 1, *example.condition.shape[1:]))

    @pytest.mark.parametrize('gradient', [False, True])
    def test_prepared_condition_equals_the_condition(self, example: Example, gradient: bool) -> None:
        denoiser, x_t, timestep, condition = example
        with torch.set_grad_enabled(gradient):
            for given in (condition, repeated(condition)):
                prepared = denoiser.prepare(given)
                assert_same(denoiser(x_t, timestep, prepared), denoiser(x_t, timestep, given))
                # one prepared condition is used in all steps of a sampling run
                again = denoiser(x_t, later(timestep), prepared)
                assert_same(again, denoiser(x_t, later(timestep), given))

    def test_prepared_condition_follows_changed_weights(self, example: Example) -> None:
        before = evaluate(example)
        randomise(example.denoiser, seed=5)
        after = evaluate(example)
        assert (after - before).abs().max() > 1e-3 * before.abs().max()
        with torch.no_grad():
            prepared = example.denoiser.prepare(example.condition)
        assert_same(evaluate(example, condition=prepared), after)

    def test_one_timestep_is_broadcast_to_all_rows(self, example: Example) -> None:
        for step in (0.0, 0.3) if example.timestep.is_floating_point() else (0, 7):
            one, each = torch.tensor([step]), torch.full((ROWS,), step)
            assert_same(evaluate(example, timestep=one), evaluate(example, timestep=each))

    def test_a_fractional_time_is_used_or_refused(self, example: Example) -> None:
        """Never rounded: an int64 table of steps cannot take the times of a continuous path, and says so."""
        fractions = [torch.full((1,), time) for time in (0.0, 1 / 3, 2 / 3)]
        if any(isinstance(module, TabulatedStepEmbedding) for module in example.denoiser.modules()):
            for time in fractions:
                with pytest.raises(ValueError, match='int64 timesteps, got torch.float32'):
                    evaluate(example, timestep=time)
            return
        start, third, two_thirds = (evaluate(example, timestep=time) for time in fractions)
        for one, other in ((start, third), (third, two_thirds), (start, two_thirds)):
            assert (one - other).abs().max() > 1e-5 * start.abs().max()

    def test_state_dict_round_trip(self, example: Example) -> None:
        expected = evaluate(example)
        state = {name: value.clone() for name, value in example.denoiser.state_dict().items()}
        for parameter in example.denoiser.parameters():
            nn.init.zeros_(parameter)
        assert not torch.equal(evaluate(example), expected)
        example.denoiser.load_state_dict(state)
        assert torch.equal(evaluate(example), expected)

    @pytest.mark.parametrize('training', [False, True])
    def test_runs_in_bfloat16(self, example: Example, training: bool) -> None:
        denoiser, x_t, timestep, condition = example
        expected = evaluate(example)
        if training:
            denoiser.train()
        denoiser.to(torch.bfloat16)
        output = denoiser(x_t.bfloat16(), timestep, condition.bfloat16())
        assert output.dtype == torch.bfloat16
        assert output.isfinite().all()
        output.float().square().mean().backward()
        if not training:
            halved = evaluate(example, x_t=x_t.bfloat16(), condition=condition.bfloat16())
            assert halved.dtype == torch.bfloat16
            for actual in (output.detach(), halved):
                assert_same(actual.float(), expected, tolerance=0.1)

    @pytest.mark.parametrize('training', [False, True])
    def test_runs_under_autocast(self, example: Example, training: bool) -> None:
        denoiser, x_t, timestep, condition = example
        expected = evaluate(example)
        denoiser.train(training)
        with torch.autocast('cpu', torch.bfloat16):
            output = denoiser(x_t, timestep, condition)
            output.float().square().mean().backward()
            with torch.no_grad():
                prepared = denoiser.prepare(condition)
                inferred = denoiser(x_t, timestep, prepared)
        assert output.dtype == inferred.dtype == x_t.dtype
        assert all(p.grad is None or p.grad.dtype == torch.float32 for p in denoiser.parameters())
        if not training:
            for actual in (output.detach(), inferred):
                assert_same(actual, expected, tolerance=0.1)

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
    @pytest.mark.parametrize('gradient', [False, True])
    def test_cuda_equals_cpu(self, example: Example, monkeypatch: pytest.MonkeyPatch, gradient: bool) -> None:
        monkeypatch.setattr(torch.backends.cuda.matmul, 'allow_tf32', False)
        expected = evaluate(example)
        denoiser, *inputs = example
        denoiser.cuda()
        with torch.set_grad_enabled(gradient):
            output = denoiser(*(value.cuda() for value in inputs))
        assert_same(output.detach().cpu(), expected, tolerance=1e-4)
