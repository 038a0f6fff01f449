"""posediff convert diffpose3d: denoiser with its lifter, the lifter alone, licence, and errors for other files."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from posediff import init_model
from posediff.cli.convert import diffpose3d
from posediff.integrations.diffpose3d_checkpoints import LICENCE, convert_diffpose3d_state_dict

KEYS = json.loads((Path(__file__).parents[1] / 'models/diffpose3d_reference.json').read_text())['keys']
LIFTER = {f'model.conditioner.lifter.{name}': value for name, value in {'channels': 8, 'num_layers': 2}.items()}
WHOLE = LIFTER | {
    'model.conditioner.in_channels': 24,
    'model.denoiser.channels': 8,
    'model.denoiser.num_layers': 2,
}
ALONE = LIFTER | {'model.head.in_channels': 24}


def official(kind: str, seed: int = 0) -> dict[str, Tensor]:
    """Random weights with the names and shapes of a released class."""
    generator = torch.Generator().manual_seed(seed)
    state = {name: torch.randn(shape, generator=generator) for name, shape in KEYS[kind].items()}
    return {name: torch.eye(17) if name.endswith('A_hat') else value for name, value in state.items()}


def save(path: Path, state: dict[str, Tensor], averaged: dict[str, Tensor] | None = None) -> Path:
    """A file as the released code writes it: a list, with names of DataParallel."""
    content: list[Any] = [OrderedDict((f'module.{name}', value) for name, value in state.items()), {}, 80, 1000]
    torch.save(content if averaged is None else [*content, averaged], path)
    return path


def options(changes: dict[str, int]) -> list[str]:
    return ['--cfg-options', *(f'{name}={value}' for name, value in changes.items())]


def test_a_denoiser_is_converted_with_its_lifter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, base = official('denoiser'), official('lifter', seed=1)
    source = save(tmp_path / 'diffpose_uvxyz_cpn.pth', state)
    lifter, destination = save(tmp_path / 'gcn_xyz_cpn.pth', base), tmp_path / 'converted.pth'
    diffpose3d.main([str(source), str(destination), '--lifter', str(lifter), *options(WHOLE)])
    said = capsys.readouterr()
    assert 'tensors, for diffpose3d_1f_h36m' in said.out
    assert 'MIT License' in said.err
    assert 'research only' in said.err
    assert torch.load(destination, weights_only=True)['meta'] == {'converted_from': source.name, 'licence': LICENCE}
    model = init_model('diffpose3d_1f_h36m', destination, cfg_options=WHOLE)
    weight = model.denoiser.regression.linear.weight.detach()
    torch.testing.assert_close(weight.T.view(3, 8, 5), state['gconv_output.weight'][:, 0])
    assert torch.equal(
        model.denoiser.blocks[1].attention.qkv.bias[8:16], state['atten_layers.1.self_attn.linears.1.bias']
    )
    assert torch.equal(model.conditioner.regression.bias, base['gconv_output.bias'].flatten())
    assert model.conditioner.ready_to_train() is None


def test_a_lifter_is_a_supervised_model(tmp_path: Path) -> None:
    source, destination = save(tmp_path / 'gcn_xyz_gt.pth', official('lifter')), tmp_path / 'lifter.pth'
    diffpose3d.main([str(source), str(destination), '--config', 'graformer_1f_h36m', *options(ALONE)])
    model = init_model('graformer_1f_h36m', destination, cfg_options=ALONE)
    assert torch.equal(model.head.regression.bias.detach(), official('lifter')['gconv_output.bias'].flatten())
    # and a denoiser is trained on it
    frozen = init_model('diffpose3d_1f_h36m', cfg_options=WHOLE | {'model.conditioner.checkpoint': str(destination)})
    frozen.conditioner.init_weights()
    assert torch.equal(frozen.conditioner.regression.weight, model.head.regression.weight)


def test_averaged_weights_are_taken_on_request(tmp_path: Path) -> None:
    trained, averaged = official('lifter'), official('lifter', seed=1)
    source = save(tmp_path / 'ckpt.pth', trained, averaged)
    for flags, expected in (([], trained), (['--ema'], averaged)):
        arguments = [str(source), str(tmp_path / 'new.pth'), '--config', 'graformer_1f_h36m', *flags, *options(ALONE)]
        diffpose3d.main(arguments)
        written = torch.load(tmp_path / 'new.pth', weights_only=True)['state_dict']
        assert torch.equal(written['head.regression.bias'], expected['gconv_output.bias'].flatten())


def test_help_states_the_licence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        diffpose3d.main(['--help'])
    assert 'research only' in capsys.readouterr().out


def refuse(state: dict[str, Tensor], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        convert_diffpose3d_state_dict(state, 'official.pth')


def test_other_weights_are_refused() -> None:
    good = official('denoiser')
    refuse(good | {'decoder.weight': torch.zeros(1)}, r'1 of \d+ keys are unknown or incomplete \(decoder\.weight\)')
    refuse({}, 'not a checkpoint of DiffPose')
    without = {name: value for name, value in good.items() if name != 'atten_layers.0.self_attn.linears.1.weight'}
    refuse(without, r'incomplete \(denoiser\.blocks\.0\.attention\.qkv\.weight\)')
    refuse(good | {'gconv_input.bias': torch.full((1, 1, 8), float('nan'))}, r'gconv_input\.bias holds NaN')
    name = 'atten_layers.1.feed_forward.A_hat'
    refuse(good | {name: -torch.eye(17)}, r'a column of atten_layers\.1\.feed_forward\.A_hat sums to less than 0\.1')


@pytest.mark.parametrize(
    ('source', 'lifter', 'said'),
    [
        ('denoiser', None, 'needs the lifter it starts from (--lifter)'),
        ('lifter', 'lifter', 'is a lifter itself: give no other (--lifter)'),
        ('denoiser', 'denoiser', 'is a denoiser, not a lifter (--lifter)'),
    ],
)
def test_the_wrong_pair_is_one_line(
    tmp_path: Path, exit_code: Any, capsys: pytest.CaptureFixture[str], source: str, lifter: str | None, said: str
) -> None:
    files = {kind: save(tmp_path / f'{kind}.pth', official(kind)) for kind in KEYS}
    arguments = [str(files[source]), str(tmp_path / 'new.pth'), *options(WHOLE)]
    if lifter is not None:
        arguments[2:2] = ['--lifter', str(files[lifter])]
    assert exit_code(diffpose3d.main, arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count('\n') == 1
    assert not (tmp_path / 'new.pth').exists()
