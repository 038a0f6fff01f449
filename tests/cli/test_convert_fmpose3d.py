"""posediff convert fmpose3d: names, graph, licence, and errors for other files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from posediff import init_model
from posediff.cli.convert import fmpose3d
from posediff.integrations.fmpose3d_checkpoints import LICENCE, convert_fmpose3d_state_dict
from posediff.models.denoisers import FMPose3DDenoiser
from posediff.models.layers.joint_messages import message_matrices
from posediff.structures.skeletons import H36M17

CHANNELS, LAYERS = 16, 2
OPTIONS = ['--cfg-options', f'model.denoiser.channels={CHANNELS}', f'model.denoiser.num_layers={LAYERS}']
OUTSIDE = {
    'time_embed.B': (16,),
    'time_embed.proj.0.weight': (64, 32), 'time_embed.proj.0.bias': (64,),
    'time_embed.proj.2.weight': (32, 64), 'time_embed.proj.2.bias': (32,),
    'encoder.fc1.weight': (8, 37), 'encoder.fc1.bias': (8,),
    'encoder.fc2.weight': (16, 8), 'encoder.fc2.bias': (16,),
    'FMPose3D.norm_mu.weight': (16,), 'FMPose3D.norm_mu.bias': (16,),
    'pred_mu.fc1.weight': (8, 16), 'pred_mu.fc1.bias': (8,),
    'pred_mu.fc2.weight': (3, 8), 'pred_mu.fc2.bias': (3,),
}  # fmt: skip
BLOCK = {
    'norm1.weight': (17,), 'norm1.bias': (17,),
    'gcn1.conv1d.weight': (64, 16, 1), 'gcn1.conv1d.bias': (64,),
    'norm_att1.weight': (16,), 'norm_att1.bias': (16,),
    'attn.qkv.weight': (48, 16), 'attn.qkv.bias': (48,),
    'attn.proj.weight': (16, 16), 'attn.proj.bias': (16,),
    'norm_mlp.weight': (16,), 'norm_mlp.bias': (16,),
    'mlp.fc1.weight': (1024, 16), 'mlp.fc1.bias': (1024,),
    'mlp.fc2.weight': (16, 1024), 'mlp.fc2.bias': (16,),
}  # fmt: skip


def official() -> dict[str, Tensor]:
    """A tiny model with the official parameter names and random weights."""
    shapes = OUTSIDE | {f'FMPose3D.blocks.{n}.{name}': shape for n in range(LAYERS) for name, shape in BLOCK.items()}
    generator = torch.Generator().manual_seed(0)
    state = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    graphs = ['A', *(f'FMPose3D.blocks.{n}.gcn1.adj' for n in range(LAYERS))]
    return state | {name: message_matrices(H36M17) for name in graphs}


def save(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize('wrapped', [False, True])
def test_the_command_writes_a_checkpoint_and_states_the_licence(tmp_path: Path, wrapped: bool, capsys) -> None:
    state = official()
    content = {'state_dict': {f'module.{name}': value for name, value in state.items()}} if wrapped else state
    source, destination = save(tmp_path / 'official.pth', content), tmp_path / 'new' / 'converted.pth'
    fmpose3d.main([str(source), str(destination), *OPTIONS])
    said = capsys.readouterr()
    assert f'{len(state) - 1 - LAYERS} tensors, for fmpose3d_1f_h36m' in said.out
    assert 'non-commercial use only' in said.err
    assert 'do not pass the converted file on' in said.err
    assert torch.load(destination, weights_only=True)['meta']['licence'] == LICENCE
    sizes = {'model.denoiser.channels': CHANNELS, 'model.denoiser.num_layers': LAYERS}
    denoiser = init_model('fmpose3d_1f_h36m', destination, cfg_options=sizes).denoiser
    assert isinstance(denoiser, FMPose3DDenoiser)
    for ours, theirs in (
        (denoiser.time_embedding.frequencies, 'time_embed.B'),
        (denoiser.blocks[1].graph_conv.linear.weight, 'FMPose3D.blocks.1.gcn1.conv1d.weight'),
        (denoiser.output_projection.bias, 'pred_mu.fc2.bias'),
    ):
        assert torch.equal(ours.detach(), state[theirs].reshape(ours.shape))


def test_help_states_the_licence(capsys) -> None:
    with pytest.raises(SystemExit):
        fmpose3d.main(['--help'])
    assert 'non-commercial' in capsys.readouterr().out


def refuse(state: dict[str, Tensor], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        convert_fmpose3d_state_dict(state, H36M17, 'official.pth')


def test_another_graph_is_named() -> None:
    refuse(official() | {'A': message_matrices(H36M17).transpose(1, 2)}, r'official\.pth: A differ from .*h36m17')
    moved = message_matrices(H36M17)
    moved[1, 0, 7] += 0.01
    refuse(official() | {'FMPose3D.blocks.1.gcn1.adj': moved}, r'FMPose3D\.blocks\.1\.gcn1\.adj differ')
    without = {name: value for name, value in official().items() if name != 'A' and not name.endswith('.adj')}
    refuse(without, 'no graph')


def test_other_files_are_refused(fmpose3d_cases: Path) -> None:
    refuse(official() | {'decoder.weight': torch.zeros(1)}, r'1 of \d+ keys are unknown \(decoder\.weight\)')
    refuse({'state_dict': {}}, 'not a checkpoint of FMPose3D')
    spoilt = official()
    spoilt['pred_mu.fc2.bias'][0] = float('nan')
    refuse(spoilt, r'NaN or infinite numbers: pred_mu\.fc2\.bias')
    rows = (fmpose3d_cases / 'state_dict_keys_animals_c512_l5.txt').read_text().splitlines()
    animals = {row.split('\t')[0]: torch.zeros(1) for row in rows if not row.startswith('#')}
    refuse(animals, 'model of animals')


def test_other_sizes_and_missing_files_are_one_line(tmp_path: Path, exit_code, capsys) -> None:
    source, destination = save(tmp_path / 'official.pth', official()), tmp_path / 'converted.pth'
    assert exit_code(fmpose3d.main, [str(source), str(destination), *OPTIONS[:2]]) == 2
    assert 'does not fit fmpose3d_1f_h36m' in capsys.readouterr().err
    assert exit_code(fmpose3d.main, [str(tmp_path / 'no.pth'), str(destination)]) == 2
    assert capsys.readouterr().err.count('\n') == 1
    assert not destination.exists()
