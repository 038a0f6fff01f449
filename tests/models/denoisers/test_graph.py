"""CT-GCN: the folded network, training behaviour, shapes that are refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from posediff.models.denoisers import CTGCNDenoiser, graph_inference
from posediff.testing import randomise

FRAMES = 5


def tiny(**changes) -> CTGCNDenoiser:
    sizes = {'num_frames': FRAMES, 'channels': 8, 'num_layers': 3, 'step_channels': 8, 'condition_channels': 2}
    return CTGCNDenoiser(**{**sizes, **changes})


@pytest.mark.parametrize('rows', [1, 3, 7])
@pytest.mark.parametrize('pose_channels', [None, 6])
def test_folding_changes_nothing(monkeypatch: pytest.MonkeyPatch, rows: int, pose_channels: int | None) -> None:
    monkeypatch.setattr(graph_inference, 'ROWS_PER_THREAD', rows)  # chunks that do and do not divide the rows
    denoiser = randomise(tiny(pose_channels=pose_channels)).eval()
    x_t, condition = torch.randn(6, FRAMES, 17, 3), torch.randn(2, FRAMES, 17, 2)
    for timestep in (torch.tensor([4]), torch.arange(6)):
        expected = denoiser(x_t, timestep, condition).detach()
        with torch.no_grad():
            actual = denoiser(x_t, timestep, condition)
        torch.testing.assert_close(actual, expected, rtol=0, atol=2e-6 * expected.abs().max().item())


def test_nothing_is_folded_in_training() -> None:
    denoiser = randomise(tiny()).train()
    with torch.no_grad():
        assert denoiser.prepare(torch.zeros(1, FRAMES, 17, 2)).folded is None
        before = denoiser.layers[0].frame_norm.running_mean.clone()
        denoiser(torch.randn(4, FRAMES, 17, 3), torch.arange(4), torch.zeros(4, FRAMES, 17, 2))
    assert not torch.equal(denoiser.layers[0].frame_norm.running_mean, before)
    assert denoiser.layers[0].frame_norm.num_batches_tracked == 1


def test_a_prepared_network_is_not_used_once_training_starts() -> None:
    denoiser = randomise(tiny()).eval()
    x_t, timestep = torch.randn(2, FRAMES, 17, 3), torch.tensor([1])
    with torch.no_grad():
        prepared = denoiser.prepare(torch.zeros(2, FRAMES, 17, 2))
    x_t.requires_grad_()
    denoiser(x_t, timestep, prepared).sum().backward()
    assert x_t.grad.abs().max() > 0


def test_dropout_is_random_in_training_and_silent_in_eval() -> None:
    denoiser = tiny(dropout=0.5)
    nn.init.normal_(denoiser.output_projection.weight)
    inputs = torch.randn(2, FRAMES, 17, 3), torch.tensor([3, 4]), torch.randn(2, FRAMES, 17, 2)
    assert not torch.equal(denoiser.train()(*inputs), denoiser(*inputs))
    assert torch.equal(denoiser.eval()(*inputs), denoiser(*inputs))


def test_starts_by_predicting_its_bias() -> None:
    denoiser = tiny()
    output = denoiser(torch.randn(2, FRAMES, 17, 3), torch.tensor([3]), torch.randn(2, FRAMES, 17, 2))
    torch.testing.assert_close(output, denoiser.output_projection.bias.expand_as(output))


def test_synchronised_normalisation_takes_its_place() -> None:
    denoiser = randomise(tiny()).eval()
    inputs = torch.randn(2, FRAMES, 17, 3), torch.tensor([3]), torch.randn(2, FRAMES, 17, 2)
    with torch.no_grad():
        expected = denoiser(*inputs)
        converted = nn.SyncBatchNorm.convert_sync_batchnorm(denoiser)
        torch.testing.assert_close(converted(*inputs), expected)
    assert isinstance(converted.layers[0].channel_norm, nn.SyncBatchNorm)


@pytest.mark.parametrize('shape', [(2, 4, 17, 3), (2, FRAMES, 16, 3), (2, FRAMES, 17, 2), (FRAMES, 17, 3)])
def test_wrong_poses_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match='x_t of shape') as caught:
        tiny()(torch.zeros(shape), torch.tensor([0]), torch.zeros(2, FRAMES, 17, 2))
    assert str(shape) in str(caught.value)


def test_wrong_conditions_are_refused() -> None:
    with pytest.raises(ValueError, match='condition of shape'):
        tiny()(torch.zeros(2, FRAMES, 17, 3), torch.tensor([0]), torch.zeros(2, FRAMES, 17, 3))


@pytest.mark.parametrize('gradient', [False, True])
def test_steps_outside_the_table_are_refused(gradient: bool) -> None:
    denoiser = tiny(num_train_timesteps=20).eval()
    with torch.set_grad_enabled(gradient), pytest.raises(ValueError, match='num_train_timesteps=20'):
        denoiser(torch.zeros(2, FRAMES, 17, 3), torch.tensor([20]), torch.zeros(2, FRAMES, 17, 2))


def test_an_unknown_skeleton_is_refused() -> None:
    with pytest.raises(KeyError, match='octopus'):
        tiny(skeleton='octopus')
