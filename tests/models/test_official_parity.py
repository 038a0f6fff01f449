"""Agreement with recorded runs of the official DiffHPE classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from posediff.engine.model_building import init_model
from posediff.integrations.official_checkpoints import STEP_TABLE, convert_state_dict, step_table
from posediff.models.denoisers import CTGCNDenoiser
from posediff.models.estimator import PoseDiffusionEstimator

VARIANTS = ('2d', 'wrapper')
CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'lifting_3d' / 'diffhpe'


def build(variant: str) -> PoseDiffusionEstimator:
    """The small networks of the recorded cases in the config of their variant."""
    options: dict[str, Any] = {'channels': 16, 'num_layers': 2, 'step_channels': 32, 'condition_channels': 2}
    if variant == 'wrapper':
        options |= {'condition_channels': 16, 'pose_channels': 16}
    changes = {f'model.denoiser.{name}': value for name, value in options.items()}
    if variant == 'wrapper':
        changes |= {'model.conditioner.lifter.channels': 16, 'model.conditioner.lifter.depth': 2}
    # dropout is not recorded: the cases were trained without
    return init_model(CONFIGS / f'diffhpe-{variant}_27f_h36m.py', cfg_options=changes | {'model.denoiser.dropout': 0.0})


class Cases(NamedTuple):
    variant: str
    folder: Path

    def load(self, name: str) -> dict[str, Any]:
        return torch.load(self.folder / f'tiny_{self.variant}_{name}.pt', weights_only=True)

    def model(self, state: str = 'state') -> PoseDiffusionEstimator:
        model = build(self.variant)
        weights = convert_state_dict(self.load(state))
        weights[STEP_TABLE] = step_table(model.denoiser.step_embedding.table, weights)
        model.load_state_dict(weights)
        return model.eval()


@pytest.fixture(params=VARIANTS)
def cases(request: pytest.FixtureRequest, reference_data: Path) -> Cases:
    return Cases(request.param, reference_data / 'diffhpe_cases')


def ours(channel_first: Tensor) -> Tensor:
    """(…, C, K, T) to (…, T, K, C)."""
    return channel_first.transpose(-3, -1)


def assert_close(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance * expected.abs().max().item())


def forward(model: PoseDiffusionEstimator, x_t: Tensor, timestep: Tensor, condition: Tensor, gradient: bool) -> Tensor:
    with torch.set_grad_enabled(gradient):
        return model.denoiser(x_t, timestep, condition).detach()


@pytest.mark.parametrize('gradient', [False, True], ids=['folded', 'plain'])
def test_forward(cases: Cases, gradient: bool) -> None:
    model, recorded = cases.model(), cases.load('forward_io')
    condition = model.conditioner(recorded['pose_2d'])
    if 'cond_features_BCJL' in recorded:
        assert_close(condition, ours(recorded['cond_features_BCJL']), 1e-5)
    steps = {f'eps_t{step}': torch.tensor([step]) for step in (0, 1, 10, 25, 49)} | {'eps_tvec': recorded['t_vec']}
    for name, step in steps.items():
        epsilon = forward(model, recorded['pose_3d'], step, condition, gradient)
        assert_close(epsilon, ours(recorded[name]), 1e-5)


def test_first_layer(cases: Cases) -> None:
    model, recorded = cases.model(), cases.load('block0_acts_t10_sample0')
    layer = model.denoiser.layers[0]
    seen: dict[str, Tensor] = {}
    for name in ('frame_norm', 'channel_norm', 'non_local'):
        getattr(layer, name).register_forward_hook(lambda _, __, output, name=name: seen.update({name: output}))
    embedding = model.denoiser.step_embedding(torch.tensor([10]))
    assert_close(embedding, recorded['diffusion_embedding'], 1e-5)
    assert_close(layer.step_projection(embedding), recorded['diffusion_projection'], 1e-5)
    x = recorded['x_in'].permute(2, 3, 0, 1)  # (K, T, N, C)
    joints, frames, rows, channels = x.shape
    next_x, skip = layer(x, torch.zeros(x.shape[:-1].numel(), channels), embedding)
    # official (N C, K, T) and (N T, K, C)
    assert_close(seen['frame_norm'].relu().view(x.shape)[:, :, 0].permute(2, 0, 1), recorded['time_layer'], 1e-5)
    assert_close(seen['channel_norm'].relu().view(x.shape)[:, :, 0].transpose(0, 1), recorded['feature_layer'], 1e-5)
    assert_close(seen['non_local'].view(x.shape)[:, :, 0].transpose(0, 1), recorded['non_local'], 1e-5)
    assert_close(next_x, recorded['out_x'].permute(2, 3, 0, 1), 1e-5)
    skip = (skip + layer.skip_bias()).view(x.shape)
    assert_close(skip, recorded['out_skip'].permute(2, 3, 0, 1), 1e-5)


def test_fifty_ancestral_steps(cases: Cases) -> None:
    model, recorded = cases.model(), cases.load('sampling50')
    seen: dict[int, Tensor] = {}
    model.denoiser.register_forward_hook(lambda _, inputs, output: seen.update({int(inputs[1]): output}))
    drawn = model.sample(model.conditioner(recorded['pose_2d']), 1, noise=ours(recorded['noise']).unsqueeze(2))
    for step, epsilon in zip(recorded['eps_ts'].tolist(), recorded['eps_by_t'], strict=True):
        assert_close(seen[step], ours(epsilon), 1e-4)
    assert_close(drawn, ours(recorded['out_BHCJL']), 1e-4)


def test_loss(cases: Cases) -> None:
    model, recorded = cases.model(), cases.load('loss_eval')
    x_0, condition = recorded['pose_3d'], model.conditioner(recorded['pose_2d'])
    for step in (0, 20, 40):
        expected = recorded[f't{step}']
        timestep = torch.full((len(x_0),), step)
        loss = model.diffusion_loss(x_0, condition, timestep=timestep, noise=ours(expected['noise']))
        assert loss.item() == pytest.approx(expected['loss'].item(), rel=1e-5)


@pytest.fixture
def trained(reference_data: Path) -> tuple[PoseDiffusionEstimator, dict[str, Any]]:
    """The wrapper after one backward pass in training mode, and the recorded step."""
    cases = Cases('wrapper', reference_data / 'diffhpe_cases')
    model, recorded = cases.model('train_state_before').train(), cases.load('train_step')
    condition = model.conditioner(recorded['pose_2d'])
    loss = model.diffusion_loss(recorded['pose_3d'], condition, recorded['t'], ours(recorded['noise']))
    assert loss.item() == pytest.approx(recorded['loss'].item(), rel=1e-5)
    loss.backward()
    return model, recorded


def test_gradients_of_a_training_step(trained: tuple[PoseDiffusionEstimator, dict[str, Any]]) -> None:
    model, recorded = trained
    expected = convert_state_dict(recorded['grads'])
    actual = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    assert expected.keys() == actual.keys()
    total = torch.cat([grad.flatten() for grad in expected.values()]).norm()
    for name, grad in expected.items():
        error = (actual[name] - grad).norm()
        # batch normalisation takes the mean out of what comes before: such biases have rounding errors for a gradient
        without = name.endswith(('_conv.bias', 'non_local.output.bias'))
        assert error < (1e-5 * total if without else 1e-4 * grad.norm()), f'{name}: {error:.1e} of {grad.norm():.1e}'
    difference = torch.cat([(actual[name] - grad).flatten() for name, grad in expected.items()]).norm()
    assert difference < 1e-4 * total


def test_statistics_after_a_training_step(trained: tuple[PoseDiffusionEstimator, dict[str, Any]]) -> None:
    model, recorded = trained
    expected = convert_state_dict(recorded['state_after'])
    buffers = {name: value for name, value in expected.items() if 'running' in name or 'num_batches' in name}
    assert len(buffers) == 18
    for name, value in buffers.items():
        assert_close(model.state_dict()[name], value, 1e-5)


def test_step_embedding_table(reference_data: Path) -> None:
    recorded = torch.load(reference_data / 'diffhpe_cases' / 'schedules.pt', weights_only=True)
    table = CTGCNDenoiser(num_layers=1, channels=4).step_embedding.table
    torch.testing.assert_close(table, recorded['diffusion_embedding_table_50x128'].float(), rtol=0, atol=1e-6)
