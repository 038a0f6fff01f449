"""DiffPose for 3D poses against its released code: lifter, denoiser, DDIM steps and loss for the same weights.

The reference holds numbers that the released classes (GONGJIA0208/Diffpose 9a15bf8, ``GCNpose``, ``GCNdiff``,
``generalized_steps``) computed at width 8 with two blocks and two heads, and the shapes of their weights. All weights
and inputs are waves, sin(0.7 · index + 1.3 · number + 0.5), that both sides compute.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from posediff.engine.model_building import init_model
from posediff.integrations.diffpose3d_checkpoints import convert_diffpose3d_state_dict
from posediff.models.estimator import PoseDiffusionEstimator

REFERENCE = json.loads(Path(__file__).with_name('diffpose3d_reference.json').read_text())
TINY = {'channels': 8, 'num_layers': 2, 'num_heads': 2}
SIZES = {f'model.{part}.{name}': value for part in ('conditioner.lifter', 'denoiser') for name, value in TINY.items()}


def wave(shape: tuple[int, ...], number: int) -> Tensor:
    index = np.arange(int(np.prod(shape)))
    return torch.from_numpy(np.sin(0.7 * index + 1.3 * number + 0.5).reshape(shape)).float()


def official(kind: str) -> dict[str, Tensor]:
    """The weights of a released class."""
    shapes, state = REFERENCE['keys'][kind], {}
    for number, name in enumerate(sorted(shapes)):
        state[name] = 0.3 * wave(tuple(shapes[name]), number)
        if name.endswith('A_hat'):
            state[name] = torch.eye(17) + 0.2 * state[name]
        elif name.endswith('a_2'):
            state[name] = 1 + state[name]
    return state


@pytest.fixture(scope='module')
def model() -> PoseDiffusionEstimator:
    options = SIZES | {'model.conditioner.in_channels': 24}
    model = init_model('diffpose3d_1f_h36m', cfg_options=options)
    state = convert_diffpose3d_state_dict(official('denoiser'))
    model.load_state_dict(state | convert_diffpose3d_state_dict(official('lifter'), frozen=True))
    return model


@pytest.fixture(scope='module')
def condition(model: PoseDiffusionEstimator) -> Tensor:
    return model.conditioner(0.5 * wave((2, 17, 2), 1)[:, None])


def assert_close(actual: Tensor, expected: list[Any], tolerance: float = 1e-5) -> None:
    """Compare relative to the largest value, which is 242 in these waves."""
    reference = torch.tensor(expected)
    torch.testing.assert_close(actual.detach()[:, 0], reference, rtol=0, atol=tolerance * float(reference.abs().max()))


def test_the_lifter_gives_the_released_pose(condition: Tensor) -> None:
    assert_close(condition[..., 2:], REFERENCE['lifted'])


def test_the_denoiser_gives_the_released_noise(model: PoseDiffusionEstimator, condition: Tensor) -> None:
    assert_close(model.denoiser(condition, torch.tensor([3, 40]), condition), REFERENCE['epsilon'])


def test_two_steps_end_where_the_released_ones_do(model: PoseDiffusionEstimator, condition: Tensor) -> None:
    states: list[Tensor] = []
    network = model.denoiser.forward

    def recorded(x_t: Tensor, timestep: Tensor, prepared: Any) -> Tensor:
        states.append(x_t)
        return network(x_t, timestep, prepared)

    model.denoiser.forward = recorded
    try:
        sampled = model.sample(condition, num_hypotheses=1)
    finally:
        del model.denoiser.forward
    first, last = REFERENCE['states']
    # the released code multiplies its alphas in float32; 1 - alpha_bar is 0.003 at step 12
    assert_close(states[-1], first, tolerance=1e-4)
    assert_close(sampled[:, 0], last, tolerance=1e-4)


def test_the_loss_is_the_released_one_as_a_mean(model: PoseDiffusionEstimator, condition: Tensor) -> None:
    x_0 = torch.zeros(2, 1, 17, 5)
    x_0[:, 0, :, 2:] = 0.3 * wave((2, 17, 3), 5)
    loss = model.diffusion_loss(x_0, condition, torch.tensor([3, 40]), wave((2, 17, 5), 9)[:, None])
    assert 17 * 5 * loss.item() == pytest.approx(REFERENCE['loss'], rel=1e-5)
