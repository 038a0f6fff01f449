"""Contract tests of all registered backbones, plugins included: one feature map per image."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from posediff.registry import BACKBONES
from posediff.testing.cases import ContractCase
from posediff.testing.contracts.base import Contract

IMAGES = 3


def evaluate(backbone: nn.Module, images: Tensor) -> Tensor:
    """Return the last feature map, which the estimator uses."""
    with torch.no_grad():
        maps = backbone(images)
    return maps[-1] if isinstance(maps, (tuple, list)) else maps


class BackboneContract(Contract):
    """Tests that run on every registered backbone."""

    registry = BACKBONES

    @pytest.fixture
    def images(self, case: ContractCase) -> Tensor:
        return torch.randn(IMAGES, *case.input_shape, generator=torch.Generator().manual_seed(1))

    def test_makes_a_map_of_every_image(self, component: nn.Module, images: Tensor) -> None:
        maps = evaluate(component, images)
        assert maps.ndim == 4
        assert maps.shape[0] == IMAGES
        assert maps.isfinite().all()
        # the map has the aspect ratio of the image
        height, width = maps.shape[2:]
        assert height * images.shape[3] == width * images.shape[2]

    def test_images_are_independent(self, component: nn.Module, images: Tensor) -> None:
        # in float64: random weights amplify rounding differences between batch sizes
        component, images = component.double(), images.double()
        together = evaluate(component, images)
        for index in range(IMAGES):
            alone = evaluate(component, images[index : index + 1])
            torch.testing.assert_close(
                alone, together[index : index + 1], rtol=1e-8, atol=1e-8 * float(together.abs().max())
            )

    def test_gradients_reach_every_trainable_parameter(self, component: nn.Module, images: Tensor) -> None:
        maps = component.train()(images)
        maps = maps[-1] if isinstance(maps, (tuple, list)) else maps
        (maps * torch.randn(maps.shape, generator=torch.Generator().manual_seed(2))).sum().backward()
        trainable = {name: parameter for name, parameter in component.named_parameters() if parameter.requires_grad}
        assert trainable
        assert not [name for name, parameter in trainable.items() if parameter.grad is None]

    def test_state_dict_round_trip(self, component: nn.Module, images: Tensor) -> None:
        expected = evaluate(component, images)
        state = {name: value.clone() for name, value in component.state_dict().items()}
        for parameter in component.parameters():
            nn.init.zeros_(parameter)
        component.load_state_dict(state)
        assert torch.equal(evaluate(component, images), expected)

    def test_runs_in_bfloat16(self, component: nn.Module, images: Tensor) -> None:
        assert evaluate(component.to(torch.bfloat16), images.bfloat16()).dtype == torch.bfloat16
