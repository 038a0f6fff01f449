"""FMPose3DDenoiser against recorded outputs of the official class, and its graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from posediff.integrations.fmpose3d_checkpoints import convert_fmpose3d_state_dict
from posediff.models.denoisers import FMPose3DDenoiser
from posediff.models.layers.joint_messages import message_matrices
from posediff.structures.skeletons import H36M17, POSETRACK15

Load = Callable[[str], dict[str, Tensor]]
TOLERANCE = 2e-5


@pytest.fixture
def recorded(fmpose3d_cases: Path) -> Load:
    return lambda name: torch.load(fmpose3d_cases / f'{name}.pt', weights_only=True)


@pytest.fixture
def denoiser(recorded: Load) -> FMPose3DDenoiser:
    sizes = recorded('config')
    network = FMPose3DDenoiser(channels=int(sizes['channel']), num_layers=int(sizes['layers']))
    state = convert_fmpose3d_state_dict(recorded('state_dict'), H36M17)
    network.load_state_dict({name.removeprefix('denoiser.'): value for name, value in state.items()})
    return network.eval()


def assert_close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual.detach(), expected, rtol=0, atol=TOLERANCE)


def test_forward(denoiser: FMPose3DDenoiser, recorded: Load) -> None:
    cases = recorded('forward')
    for t, expected in zip(cases['t'], cases['v'], strict=True):
        assert_close(denoiser(cases['y_t'], t[None], cases['pose_2d']), expected)
    assert_close(denoiser(cases['y_t'], cases['t_rows'].flatten(), cases['pose_2d']), cases['v_rows'])


def test_layers(denoiser: FMPose3DDenoiser, recorded: Load) -> None:
    cases = recorded('layers')
    t = cases['t'].flatten()
    assert_close(denoiser.time_embedding(t), cases['time_embed.out'].squeeze(1))
    block = denoiser.blocks[0]
    hidden = nn.functional.gelu
    parts: dict[str, Callable[[Tensor], Tensor]] = {
        'encoder': lambda x: denoiser.embedding_output(hidden(denoiser.embedding(x))),
        'block0.norm1': block.graph_norm,
        'block0.gcn1': block.graph_conv,
        'block0.norm_att1': block.attention_norm,
        'block0.attn': lambda x: block.attention(x.unsqueeze(1)).squeeze(1),
        'block0.mlp': lambda x: block.mlp_output(hidden(block.mlp_hidden(x))),
        'block0': lambda x: block(x.unsqueeze(1)).squeeze(1),
        'norm_mu': denoiser.final_norm,
        'pred_mu': lambda x: denoiser.output_projection(hidden(denoiser.output_hidden(x))),
    }
    for name, part in parts.items():
        assert_close(part(cases[f'{name}.in']), cases[f'{name}.out'])


def test_loss_and_gradients(denoiser: FMPose3DDenoiser, recorded: Load) -> None:
    """The objective in eval mode: squared error of the velocity x_0 - epsilon, absolute root included."""
    cases = recorded('loss')
    t, x_0, epsilon = cases['t'], cases['gt_3d'], cases['x0']  # x0 is the official name of the noise
    output = denoiser(t * x_0 + (1 - t) * epsilon, t.flatten(), cases['pose_2d'])
    assert_close(output, cases['v_pred'])
    loss = (output - (x_0 - epsilon)).square().mean()
    assert loss.item() == pytest.approx(cases['loss'].item(), abs=1e-6)
    loss.backward()
    official = recorded('state_dict')
    skipped = ('A', 'time_embed.B')
    names = [name for name in official if name not in skipped and not name.endswith('.adj')]
    assert len(names) == len(cases['grad_norm'])
    marked = {name: torch.full_like(official[name], index) for index, name in enumerate(names)}
    kept = {name: value for name, value in official.items() if name not in marked}
    ours = {
        int(value.flatten()[0]): name.removeprefix('denoiser.')
        for name, value in convert_fmpose3d_state_dict(kept | marked, H36M17).items()
        if not name.endswith('frequencies')
    }
    gradients = {names[index]: denoiser.get_parameter(name).grad for index, name in ours.items()}
    norms = torch.stack([gradients[name].norm() for name in names])
    torch.testing.assert_close(norms, cases['grad_norm'], rtol=1e-5, atol=1e-6)
    for name in (name.removeprefix('grad.') for name in cases if name.startswith('grad.')):
        assert_close(gradients[name], cases[f'grad.{name}'].reshape(gradients[name].shape))


def test_the_default_size_is_the_official_one(fmpose3d_cases: Path) -> None:
    rows = (fmpose3d_cases / 'state_dict_keys_humans_c512_l5.txt').read_text().splitlines()
    official = {}
    for name, shape, _ in (row.split('\t') for row in rows if not row.startswith('#')):
        official[name] = torch.zeros([int(size) for size in shape.strip('(),').split(',')])
        if shape == '(4, 17, 17)':
            official[name] = message_matrices(H36M17)
    converted = convert_fmpose3d_state_dict(official, H36M17)
    expected = FMPose3DDenoiser().state_dict()
    assert {name: value.shape for name, value in converted.items()} == {
        f'denoiser.{name}': value.shape for name, value in expected.items()
    }


@pytest.mark.parametrize('skeleton', [H36M17, POSETRACK15], ids=lambda skeleton: skeleton.name)
def test_messages_average_the_neighbours(skeleton) -> None:
    matrices = message_matrices(skeleton)
    torch.testing.assert_close(matrices.sum((0, 1)), torch.ones(skeleton.num_joints))
    assert int(((matrices > 0).sum(0) > 1).sum()) == 0
    inwards, outwards, pairs = matrices[1] > 0, matrices[2] > 0, matrices[3] > 0
    assert torch.equal(inwards, outwards.T)
    assert torch.equal(pairs, pairs.T)
    assert int(inwards.sum()) + int(pairs.sum()) // 2 == len(skeleton.segments) + len(skeleton.left)


def test_frames_are_independent() -> None:
    network = FMPose3DDenoiser(num_frames=3, channels=16, num_layers=2).eval()
    single = FMPose3DDenoiser(channels=16, num_layers=2).eval()
    single.load_state_dict(network.state_dict())
    x_t, condition, t = torch.randn(2, 3, 17, 3), torch.randn(2, 3, 17, 2), torch.tensor([0.3, 0.8])
    whole = network(x_t, t, condition)
    for frame in range(3):
        alone = single(x_t[:, frame : frame + 1], t, condition[:, frame : frame + 1])
        torch.testing.assert_close(alone, whole[:, frame : frame + 1])


def test_dropout_and_stochastic_depth_are_for_training_only() -> None:
    network = FMPose3DDenoiser(channels=16, num_layers=2)
    inputs = torch.randn(4, 1, 17, 3), torch.tensor([0.5]), torch.randn(4, 1, 17, 2)
    assert not torch.equal(network(*inputs), network(*inputs))
    network.eval()
    assert torch.equal(network(*inputs), network(*inputs))


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match='even number of channels'):
        FMPose3DDenoiser(channels=15)
    with pytest.raises(ValueError, match='multiple of num_heads'):
        FMPose3DDenoiser(channels=12)
