"""Contract tests of all registered heads, plugins included; see posediff.models.heads.base."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from posediff.models.heads.base import BaseHead
from posediff.registry import HEADS
from posediff.testing.cases import ContractCase
from posediff.testing.contracts.base import Contract

CLIPS, HYPOTHESES = 2, 3


class HeadContract(Contract):
    """Tests that run on every registered head."""

    registry = HEADS

    @pytest.fixture
    def pose(self, case: ContractCase) -> Tensor:
        """Return poses (B, M, …) in output units."""
        generator = torch.Generator().manual_seed(0)
        return 300 * torch.randn(CLIPS, HYPOTHESES, *case.state_shape, generator=generator)

    @pytest.fixture
    def condition(self, case: ContractCase) -> Tensor:
        """Return a condition (B, …) for heads that predict from it."""
        return torch.randn(CLIPS, *case.condition_shape, generator=torch.Generator().manual_seed(1))

    @pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
    def test_decode_undoes_encode(self, component: BaseHead, pose: Tensor, dtype: torch.dtype) -> None:
        pose = pose.to(dtype)
        given = pose.clone()
        x_0 = component.encode(pose)
        decoded = component.decode(x_0)
        assert x_0.dtype == decoded.dtype == dtype
        assert x_0.isfinite().all()
        torch.testing.assert_close(decoded, pose)
        assert torch.equal(pose, given)

    def test_poses_are_independent(self, component: BaseHead, pose: Tensor) -> None:
        x_0 = component.encode(pose)
        for clip in range(CLIPS):
            torch.testing.assert_close(component.encode(pose[clip]), x_0[clip])
            torch.testing.assert_close(component.decode(x_0[clip]), component.decode(x_0)[clip])

    def test_flip_state_is_its_own_inverse(self, component: BaseHead, pose: Tensor) -> None:
        x_0 = component.encode(pose)
        given = x_0.clone()
        flipped = component.flip_state(x_0)
        assert flipped.shape == x_0.shape
        assert not torch.allclose(flipped, x_0)
        torch.testing.assert_close(component.flip_state(flipped), x_0)
        assert torch.equal(x_0, given)

    def test_predicts_one_state_per_clip(self, component: BaseHead, condition: Tensor, case: ContractCase) -> None:
        together = component(condition)
        assert component.state_shape(condition) == case.state_shape
        assert together.shape == (CLIPS, *case.state_shape)
        assert together.dtype == condition.dtype
        for clip in range(CLIPS):
            torch.testing.assert_close(component(condition[clip : clip + 1]), together[clip : clip + 1])

    def test_gradients_reach_every_trainable_parameter(self, component: BaseHead, condition: Tensor) -> None:
        condition.requires_grad_()
        x_0 = component.train()(condition)
        (x_0 * torch.randn(x_0.shape, generator=torch.Generator().manual_seed(2))).sum().backward()
        assert condition.grad is not None
        assert condition.grad.abs().max() > 0
        assert not [name for name, p in component.named_parameters() if p.requires_grad and not p.grad.abs().max() > 0]

    def test_state_dict_round_trip(self, component: BaseHead, condition: Tensor) -> None:
        expected = component(condition)
        state = {name: value.clone() for name, value in component.state_dict().items()}
        for parameter in component.parameters():
            nn.init.zeros_(parameter)
        assert not torch.equal(component(condition), expected)
        component.load_state_dict(state)
        assert torch.equal(component(condition), expected)

    def test_runs_in_bfloat16(self, component: BaseHead, condition: Tensor) -> None:
        expected = component(condition)
        halved = component.to(torch.bfloat16)(condition.bfloat16())
        assert halved.dtype == torch.bfloat16
        assert (halved.float() - expected).abs().max() < 0.1 * expected.abs().max()
