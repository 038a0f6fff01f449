"""Checkpoints are loaded without executing code."""

from __future__ import annotations

import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from safetensors.torch import save_file

from posediff.fileio.checkpoint import UnsafeCheckpointError, load_checkpoint, load_state, safe_loading, state_of


class Payload:
    """An object whose unpickling creates a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_a_pickle_that_would_execute_code_is_refused_and_does_not_run(tmp_path):
    for number, save in enumerate((lambda data, path: torch.save(data, path), _plain_pickle)):
        path = tmp_path / f'bad{number}.pth'
        save({'state_dict': {'a': torch.zeros(1)}, 'meta': Payload(tmp_path / 'created')}, path)
        with pytest.raises(UnsafeCheckpointError, match=r'bad\d.pth refers to .*mkdir'):
            load_checkpoint(path)
        assert not (tmp_path / 'created').exists()


def _plain_pickle(data, path):
    path.write_bytes(pickle.dumps({'meta': data['meta']}, protocol=2))


def test_the_runner_loads_through_the_same_gate(tmp_path):
    torch.save({'state_dict': {}, 'meta': Payload(tmp_path / 'created')}, tmp_path / 'bad.pth')
    before = dict(CheckpointLoader._schemes)
    with safe_loading(), pytest.raises(UnsafeCheckpointError):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'bad.pth'))
    assert CheckpointLoader._schemes == before
    assert not (tmp_path / 'created').exists()


def test_training_checkpoints_of_mmengine_pass(tmp_path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    message_hub = {'log_scalars': {'loss': history}, 'runtime_info': {'best': np.float64(3), 'array': np.arange(3)}}
    torch.save({'state_dict': {'a': torch.ones(2)}, 'message_hub': message_hub}, tmp_path / 'good.pth')
    loaded = load_checkpoint(tmp_path / 'good.pth')
    assert loaded['message_hub']['log_scalars']['loss'].mean() == 1.5
    assert list(loaded['message_hub']['runtime_info']['array']) == [0, 1, 2]


@pytest.mark.parametrize('numpy_1', [False, True])
def test_checkpoints_that_carry_numpys_generator_pass(tmp_path, numpy_1):
    """MixSTE's and D3DP's training scripts save ``np.random.RandomState`` beside the weights, under numpy 1."""
    path = tmp_path / 'official.bin'
    state = {'head.1.bias': torch.ones(3)}
    torch.save({'lr': np.float64(1e-4), 'random_state': np.random.RandomState(1), 'model_pos': state}, path)
    if numpy_1:
        _rename(path, b'numpy._core.multiarray', b'numpy.core.multiarray')
    assert torch.equal(load_checkpoint(path)['model_pos']['head.1.bias'], torch.ones(3))


def _rename(path, old, new):
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert any(old in content for content in files.values())
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in files.items():
            archive.writestr(name, content.replace(old, new) if name.endswith('data.pkl') else content)


@pytest.mark.parametrize('content', [b'', b'PK\x03\x04 cut off', b'no checkpoint at all'])
def test_damaged_files_are_named(tmp_path, content):
    path = tmp_path / 'damaged.pth'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'damaged\.pth is not a readable checkpoint'):
        load_checkpoint(path)


def test_a_pointer_of_git_lfs_is_named(tmp_path):
    path = tmp_path / 'weights.pth'
    path.write_bytes(b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')
    with pytest.raises(ValueError, match=r'weights\.pth is not a readable checkpoint: .*a Git LFS pointer'):
        load_checkpoint(path)


def test_safetensors_are_a_state_dict(tmp_path):
    path = tmp_path / 'weights.safetensors'
    save_file({'module.a.weight': torch.arange(6.0), 'module.b': torch.ones(2)}, path)
    state = load_state(path)
    assert sorted(state) == ['a.weight', 'b']
    assert torch.equal(state['a.weight'], torch.arange(6.0))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r'weights\.safetensors is not a readable checkpoint'):
        load_checkpoint(path)


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / 'cut.pth'
    torch.save({'a': torch.randn(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r'cut\.pth is not a readable checkpoint'):
        load_checkpoint(path)


def test_missing_and_empty_checkpoints_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.pth does not exist'):
        load_checkpoint(tmp_path / 'none.pth')
    torch.save({'epoch': 3, 'names': ['a']}, tmp_path / 'empty.pth')
    with pytest.raises(ValueError, match=r'no state dict of tensors \(top-level keys: epoch, names\)'):
        load_state(tmp_path / 'empty.pth')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='holds a list, not a dictionary'):
        load_state(tmp_path / 'list.pth')


PLAIN = {'head.bias': torch.arange(3.0), 'denoiser.weight': torch.ones(2)}


def prefixed(prefix, state=PLAIN):
    return {f'{prefix}{name}': value for name, value in state.items()}


@pytest.mark.parametrize(
    'content',
    [
        PLAIN,
        {'state_dict': PLAIN},
        {'state_dict': prefixed('module.')},
        prefixed('_orig_mod.'),
        {'state_dict': prefixed('module._orig_mod.')},
        {'state_dict': prefixed('_orig_mod.module.')},
        {'model_state_dict': prefixed('model._orig_mod.')},
        {'denoiser._orig_mod.weight': PLAIN['denoiser.weight'], 'head.bias': PLAIN['head.bias']},
        {'model': {'state_dict': prefixed('net.')}},
        {'ema': {'module': PLAIN, 'updates': 3}},
        {'ema': {'decay': 0.99, 'shadow': PLAIN}},
        {'n_averaged': torch.tensor(3), **prefixed('module.')},
    ],
)
def test_what_wraps_weights_is_taken_off(tmp_path, content):
    torch.save(content, tmp_path / 'wrapped.pth')
    found = load_state(tmp_path / 'wrapped.pth')
    assert found.keys() == PLAIN.keys()
    for name, value in PLAIN.items():
        assert torch.equal(found[name], value)
    with safe_loading():
        by_mmengine = CheckpointLoader.load_checkpoint(str(tmp_path / 'wrapped.pth'))['state_dict']
    assert by_mmengine.keys() == PLAIN.keys()


def test_averaged_weights_of_mmengine_are_its_state_dict(tmp_path):
    """``EMAHook`` swaps the two state dicts, so ``state_dict`` has the averaged weights."""
    trained = {'steps': torch.tensor(4), **prefixed('module.', {name: value + 1 for name, value in PLAIN.items()})}
    content = {'meta': {'mmengine_version': '0.10'}, 'state_dict': PLAIN, 'ema_state_dict': trained}
    for ema in (False, True):
        assert torch.equal(state_of(content, 'a.pth', ema)['head.bias'], PLAIN['head.bias'])
    content.pop('meta')
    assert torch.equal(state_of(content, 'a.pth')['head.bias'], PLAIN['head.bias'])
    assert torch.equal(state_of(content, 'a.pth', ema=True)['head.bias'], PLAIN['head.bias'] + 1)


def test_two_names_of_one_parameter_are_refused():
    content = {'head.bias': torch.ones(1), 'head._orig_mod.bias': torch.zeros(1)}
    with pytest.raises(ValueError, match=r'a\.pth: head\.bias and head\._orig_mod\.bias are the same parameter'):
        state_of(content, 'a.pth')


def test_a_file_named_safetensors_is_never_unpickled(tmp_path):
    path = tmp_path / 'weights.safetensors'
    for content in ({'a': torch.ones(2)}, {'meta': Payload(tmp_path / 'created')}):
        torch.save(content, path)
        with pytest.raises(ValueError, match=r'weights\.safetensors is not a readable checkpoint'):
            load_checkpoint(path)
    path.write_bytes(b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')
    with pytest.raises(ValueError, match='a Git LFS pointer'):
        load_checkpoint(path)


def test_the_runner_reads_safetensors(tmp_path):
    save_file({'module.head.bias': torch.arange(3.0)}, tmp_path / 'weights.safetensors')
    with safe_loading():
        loaded = CheckpointLoader.load_checkpoint(str(tmp_path / 'weights.safetensors'), map_location='cpu')
    assert torch.equal(loaded['state_dict']['head.bias'], torch.arange(3.0))
