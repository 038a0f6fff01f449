"""tools/model_converters/diffhpe.py: conversion of official checkpoints, and errors for others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from posediff import init_model
from posediff.cli.convert import diffhpe
from posediff.fileio.checkpoint import UnsafeCheckpointError
from posediff.integrations.official_checkpoints import ConvertedCheckpoint, convert_checkpoint, convert_state_dict
from posediff.models.denoisers import MixSTEDenoiser

BLOCK = {
    'norm1.weight': (16,),
    'norm1.bias': (16,),
    'attn.qkv.weight': (48, 16),
    'attn.qkv.bias': (48,),
    'attn.proj.weight': (16, 16),
    'attn.proj.bias': (16,),
    'norm2.weight': (16,),
    'norm2.bias': (16,),
    'mlp.fc1.weight': (32, 16),
    'mlp.fc1.bias': (32,),
    'mlp.fc2.weight': (16, 32),
    'mlp.fc2.bias': (16,),
}


def official_mixste(channels_in: int = 2) -> dict[str, Tensor]:
    """Create a tiny MixSTE with the official parameter names: C = 16, one level, five frames."""
    shapes = {
        'Spatial_pos_embed': (1, 17, 16),
        'Temporal_pos_embed': (1, 5, 16),
        'Spatial_patch_to_embedding.weight': (16, channels_in),
        'Spatial_patch_to_embedding.bias': (16,),
        **{f'{axis}blocks.0.{name}': shape for axis in ('STE', 'TTE') for name, shape in BLOCK.items()},
        **{f'{axis}_norm.{leaf}': (16,) for axis in ('Spatial', 'Temporal') for leaf in ('weight', 'bias')},
        'head.0.weight': (16,),
        'head.0.bias': (16,),
        'head.1.weight': (3, 16),
        'head.1.bias': (3,),
    }
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / 'mixste.py'
    file.write_text(
        "lifter = dict(type='MixSTE', channels=16, depth=1, num_heads=2, num_frames=5)\n"
        "model = dict(type='PoseDiffusionEstimator', conditioner=dict(type='LifterConditioner', lifter=lifter),\n"
        "             head=dict(type='LiftingHead', in_channels=16))\n"
    )
    return file


def save(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def module(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f'module.{name}': value for name, value in state.items()}


WRAPPINGS: dict[str, Callable[[dict[str, Tensor]], Any]] = {
    'bare': lambda state: state,
    'module': module,
    'model': lambda state: {f'model.{name}': value for name, value in state.items()},
    'module.model': lambda state: module({f'model.{name}': value for name, value in state.items()}),
    'model_pos': lambda state: {'epoch': 3, 'model_pos': module(state)},
    'compiled': lambda state: {f'_orig_mod.{name}': value for name, value in state.items()},
    'module of compiled': lambda state: module({f'_orig_mod.{name}': value for name, value in state.items()}),
    'compiled inside': lambda state: {name.replace('blocks.0.', 'blocks.0._orig_mod.'): v for name, v in state.items()},
    'lightning': lambda state: {
        'pytorch-lightning_version': '2.4',
        'global_step': 3,
        'hyper_parameters': {'model': 'mixste'},
        'state_dict': {f'model.{name}': value for name, value in state.items()},
    },
    'net': lambda state: {'model_state_dict': {f'net.{name}': value for name, value in state.items()}},
    'model key': lambda state: {'epoch': torch.tensor(3), 'model': module(state), 'optimizer': {'state': {}}},
    'two levels': lambda state: {'checkpoint': 1, 'model': {'state_dict': state}},
    'averaged alone': lambda state: {'ema': {'module': state, 'updates': 7}},
    'averaged model of torch': lambda state: {'n_averaged': torch.tensor(3), **module(state)},
    'half': lambda state: {name: value.half() for name, value in state.items()},
}


@pytest.mark.parametrize('wrapping', WRAPPINGS)
def test_every_form_of_the_file_converts(tmp_path: Path, config: Path, wrapping: str) -> None:
    official = official_mixste()
    source = save(tmp_path / 'official.pth', WRAPPINGS[wrapping](official))
    destination = tmp_path / 'new' / 'converted.pth'
    assert convert_checkpoint(source, destination, config) == ConvertedCheckpoint(len(official), False)
    model = init_model(config, destination)
    tolerance = 2e-3 if wrapping == 'half' else 0
    for ours, theirs in (
        (model.head.regression.weight, 'head.1.weight'),
        (model.conditioner.lifter.trunk.final_norm.bias, 'head.0.bias'),
        (model.conditioner.lifter.trunk.frame_blocks[0].attention.projection.weight, 'TTEblocks.0.attn.proj.weight'),
    ):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours.detach(), official[theirs], rtol=tolerance, atol=tolerance)


def test_trained_and_averaged_weights_are_told_apart(tmp_path: Path, config: Path) -> None:
    trained, averaged = official_mixste(), {name: value + 1 for name, value in official_mixste().items()}
    online = {f'online_model.{name}': value for name, value in trained.items()}
    for number, (content, key) in enumerate(
        (
            ({'model': trained, 'ema': {'module': averaged, 'updates': 4}}, 'ema'),
            ({'state_dict': trained, 'state_dict_ema': module(averaged)}, 'state_dict_ema'),
            ({'model': trained, 'ema_state_dict': {'steps': torch.tensor(2), **module(averaged)}}, 'ema_state_dict'),
            (
                {
                    'model': trained,
                    'ema': {
                        'step': torch.tensor(9),
                        **{f'ema_model.{name}': value for name, value in averaged.items()},
                        **online,
                    },
                },
                'ema',
            ),
        )
    ):
        source = save(tmp_path / f'{number}.pth', content)
        for ema, expected in ((False, trained), (True, averaged)):
            written = convert_checkpoint(source, tmp_path / 'converted.pth', config, ema=ema)
            assert repr(key) in written.choice
            assert ('ignored (--ema)' in written.choice) is not ema
            found = init_model(config, tmp_path / 'converted.pth').head.regression.bias
            torch.testing.assert_close(found.detach(), expected['head.1.bias'], rtol=0, atol=0)
    source = save(tmp_path / 'none.pth', {'state_dict': trained})
    with pytest.raises(ValueError, match=r'none\.pth holds no averaged weights \(top-level keys: state_dict\)'):
        convert_checkpoint(source, tmp_path / 'converted.pth', config, ema=True)
    source = save(tmp_path / 'two.pth', {'state_dict': trained, 'model': averaged})
    with pytest.raises(ValueError, match=r'two\.pth holds weights under state_dict and model: it is ambiguous'):
        convert_checkpoint(source, tmp_path / 'converted.pth', config)


def test_command_line(tmp_path: Path, config: Path, repository: Path, exit_code, capsys) -> None:
    tool = repository / 'tools' / 'model_converters' / 'diffhpe.py'
    source, destination = save(tmp_path / 'official.pth', official_mixste()), tmp_path / 'converted.pth'
    command = [sys.executable, str(tool), str(source), str(destination), '--config', str(config)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert init_model(config, destination).head.regression.bias.shape == (3,)
    assert exit_code(diffhpe.main, [str(tmp_path / 'no.pth'), *command[3:]]) == 2
    said = capsys.readouterr().err
    assert said.count('\n') == 1
    assert 'no.pth' in said


def test_config_options_reach_the_model(tmp_path: Path, config: Path, exit_code, capsys) -> None:
    source, destination = save(tmp_path / 'official.pth', official_mixste(channels_in=3)), tmp_path / 'converted.pth'
    words = [str(source), str(destination), '--config', str(config)]
    options = ['lifter=3', 'model.conditioner.lifter.in_channels=3']
    assert exit_code(diffhpe.main, [*words, '--cfg-options', *options]) == 0
    assert 'half-precision' not in capsys.readouterr().out
    model = init_model(config, destination, cfg_options={'model.conditioner.lifter.in_channels': 3})
    assert model.conditioner.lifter.embedding.in_features == 3


def refuse(tmp_path: Path, config: Path, content: Any, error: type[Exception], match: str) -> None:
    """Check that conversion fails and does not change an existing file."""
    destination = save(tmp_path / 'converted.pth', {'older': 1})
    before = destination.read_bytes()
    with pytest.raises(error, match=match):
        convert_checkpoint(save(tmp_path / 'official.pth', content), destination, config)
    assert destination.read_bytes() == before
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ['.pth', '.pth', '.py']


def test_unknown_keys_are_named(tmp_path: Path, config: Path) -> None:
    strange = official_mixste() | {'STEblocks.0.attn.gate': torch.zeros(1), 'backbone.conv1.weight': torch.zeros(1)}
    refuse(tmp_path, config, strange, ValueError, r'2 of \d+ keys.*attn\.gate, backbone\.conv1')


def test_something_else_is_refused(tmp_path: Path, config: Path) -> None:
    refuse(tmp_path, config, {'epoch': 3}, ValueError, 'not a checkpoint of DiffHPE')
    refuse(tmp_path, config, {}, ValueError, 'not a checkpoint of DiffHPE')
    refuse(
        tmp_path, config, {'model_pos': 3}, ValueError, r'official\.pth: model_pos holds a int, expected a state dict'
    )
    refuse(tmp_path, config, {'model_pos': {}}, ValueError, r'official\.pth: not a checkpoint of DiffHPE')
    refuse(tmp_path, config, official_mixste() | {3: torch.zeros(1)}, ValueError, r'1 of \d+ keys are unknown \(3\)')


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
def test_weights_that_are_not_finite_are_named(tmp_path: Path, config: Path, value: float) -> None:
    state = official_mixste()
    state['head.1.bias'][1] = value
    refuse(tmp_path, config, module(state), ValueError, r'official\.pth: 1 tensors hold NaN .*: module\.head\.1\.bias$')


@pytest.mark.parametrize('prefix', ['module.', 'model.', 'module.model.'])
def test_two_names_of_one_parameter_are_refused(tmp_path: Path, config: Path, prefix: str) -> None:
    state = official_mixste() | {f'{prefix}head.1.bias': torch.ones(3)}
    match = rf'official\.pth: head\.1\.bias and {prefix}head\.1\.bias are the same parameter, head\.regression\.bias'
    refuse(tmp_path, config, state, ValueError, match)


def test_missing_keys_are_named(tmp_path: Path, config: Path) -> None:
    state = official_mixste()
    del state['head.1.bias']
    refuse(tmp_path, config, state, ValueError, r'mixste\.py in 1 parameters: head\.regression\.bias is missing')


def test_a_deeper_model_is_refused(tmp_path: Path, config: Path) -> None:
    deeper = official_mixste() | {f'STEblocks.1.{name}': torch.zeros(shape) for name, shape in BLOCK.items()}
    refuse(tmp_path, config, deeper, ValueError, 'joint_blocks.1.attention_norm.weight is not in the model')


def test_other_sizes_are_refused(tmp_path: Path, config: Path) -> None:
    match = r'lifter\.embedding\.weight is \(16, 3\), the config makes it \(16, 2\)'
    refuse(tmp_path, config, official_mixste(channels_in=3), ValueError, match)


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ('executed',))


def test_a_pickle_with_code_is_refused(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refuse(tmp_path, config, official_mixste() | {'x': Payload()}, UnsafeCheckpointError, 'print')
    assert 'executed' not in capsys.readouterr().out


def test_a_truncated_file_is_refused(tmp_path: Path, config: Path) -> None:
    source = save(tmp_path / 'official.pth', official_mixste())
    source.write_bytes(source.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r'official\.pth'):
        convert_checkpoint(source, tmp_path / 'converted.pth', config)
    assert not (tmp_path / 'converted.pth').exists()


def recorded_keys(file: Path) -> dict[str, Tensor]:
    rows = (line.split('\t') for line in file.read_text().splitlines() if not line.startswith('#'))
    return {
        name: torch.zeros(
            [int(size) for size in shape.strip('()').split(',') if size.strip()], dtype=getattr(torch, dtype)
        )
        for name, shape, dtype in rows
    }


@pytest.mark.parametrize(
    ('keys', 'leaf', 'options'),
    [
        ('diffhpe_2d_c64', 'diffhpe/diffhpe-2d_27f_h36m.py', {}),
        ('diffhpe_wrapper_c64', 'diffhpe/diffhpe-wrapper_27f_h36m.py', {}),
        ('sup_mixste_c64', 'mixste/mixste-c64_27f_h36m.py', {}),
        ('conditioner_checkpoint_model_pos_c64', 'mixste/mixste-c64_27f_h36m.py', {}),
        ('d3dp_cs512', 'd3dp/d3dp-c512_27f_h36m.py', {}),
        ('d3dp_cs512', 'd3dp/d3dp-c512_243f_h36m.py', {'num_frames': 27}),
        ('sup_mixste_c512', 'mixste/mixste-c512_243f_h36m.py', {'model.conditioner.lifter.num_frames': 27}),
    ],
)
def test_official_sizes_fit_the_shipped_configs(
    reference_data: Path, repository: Path, keys: str, leaf: str, options: dict[str, Any]
) -> None:
    converted = convert_state_dict(recorded_keys(reference_data / 'diffhpe_cases' / f'keys_{keys}.txt'))
    expected = init_model(repository / 'configs' / 'lifting_3d' / leaf, cfg_options=options).state_dict()
    expected.pop('denoiser.step_embedding.table', None)
    shapes = {name: value.shape for name, value in converted.items()}
    assert shapes == {name: value.shape for name, value in expected.items()}


def test_d3dp_fits_its_denoiser(reference_data: Path) -> None:
    converted = convert_state_dict(recorded_keys(reference_data / 'diffhpe_cases' / 'keys_d3dp_cs512.txt'))
    expected = MixSTEDenoiser(num_frames=27).state_dict()
    shapes = {name: value.shape for name, value in converted.items()}
    assert shapes == {f'denoiser.{name}': value.shape for name, value in expected.items()}


@pytest.mark.parametrize('rounded', [True, False])
def test_half_precision_weights_come_with_a_half_precision_table(
    tmp_path: Path,
    repository: Path,
    reference_data: Path,
    capsys: pytest.CaptureFixture[str],
    rounded: bool,
) -> None:
    official = torch.load(reference_data / 'diffhpe_cases' / 'tiny_2d_state.pt', weights_only=True)
    if not rounded:
        official['diffmodel.input_projection.bias'] = official['diffmodel.input_projection.bias'].float() + 1e-6
    config = tmp_path / 'tiny.py'
    base = repository / 'configs' / '_base_' / 'models' / 'diffhpe-2d.py'
    config.write_text(
        f"_base_ = ['{base}']\nskeleton = 'h36m17'\n"
        'model = dict(denoiser=dict(channels=16, num_layers=2, step_channels=32))\n'
    )
    source, destination = save(tmp_path / 'official.pth', official), tmp_path / 'converted.pth'
    diffhpe.main([str(source), str(destination), '--config', str(config)])
    assert ('the step-embedding table was rounded to half precision' in capsys.readouterr().out) == rounded
    table = init_model(config, tmp_path / 'converted.pth').denoiser.step_embedding.table
    formula = init_model(config).denoiser.step_embedding.table
    assert torch.equal(table, formula.half().float() if rounded else formula)
