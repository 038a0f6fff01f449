"""Backbones of MMPose's published ViTPose and RTMPose in DiffPose's configs: the same weights and feature maps.

MMPose's models are built from its own configs, and their random weights saved in the form of its files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

import posediff
from posediff.engine.config import load_config
from posediff.fileio.checkpoint import safe_loading
from posediff.registry import BACKBONES

mmpose = pytest.importorskip('mmpose')
pytest.importorskip('mmpretrain')
pytest.importorskip('timm')

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'configs/video_2d_heatmap/diffpose'
THEIRS = Path(mmpose.__file__).parent / '.mim/configs/body_2d_keypoint'
PAIRS = {
    'diffpose_vitpose-b_posetrack17-256x192': 'topdown_heatmap/coco/td-hm_ViTPose-base_8xb64-210e_coco-256x192',
    'diffpose_vitpose-h_posetrack17-256x192': 'topdown_heatmap/coco/td-hm_ViTPose-huge_8xb64-210e_coco-256x192',
    'diffpose_rtmpose-m_posetrack17-256x192': 'rtmpose/coco/rtmpose-m_8xb256-420e_aic-coco-256x192',
}
VIT = {'arch': {'embed_dims': 16, 'num_layers': 2, 'num_heads': 2, 'feedforward_channels': 32}}
CSPNEXT = {'deepen_factor': 0.17, 'widen_factor': 0.0625}
each_pair = pytest.mark.parametrize(('name', 'theirs'), PAIRS.items(), ids=PAIRS)


def build(kind: str, config: dict[str, Any]) -> Any:
    from mmpose.registry import MODELS

    with DefaultScope.overwrite_default_scope('mmpose'):
        return {'model': MODELS, 'backbone': BACKBONES}[kind].build(config)


@each_pair
def test_names_and_shapes_of_all_weights_are_those_of_mmpose(name, theirs):
    """At full size, without memory for the weights."""
    with torch.device('meta'):
        own = build('backbone', load_config(FOLDER / f'{name}.py').model.backbone).state_dict()
        published = build('model', Config.fromfile(THEIRS / f'{theirs}.py').model).state_dict()
    shapes = {name: value.shape for name, value in published.items() if name.startswith('backbone.')}
    assert {f'backbone.{name}': value.shape for name, value in own.items()} == shapes


@pytest.fixture(params=['of a run', 'published', 'bare'])
def form(request) -> Any:
    """Return a function that gives a state dict the form of a file."""
    more = {'message_hub': {}, 'optimizer': {}, 'meta': {'epoch': 210}}
    forms = {
        'of a run': lambda state: {'state_dict': state, **more},
        'published': lambda state: {'state_dict': state, 'meta': {'epoch': 210}},
        'bare': lambda state: state,
    }
    return forms[request.param]


@each_pair
def test_weights_load_key_for_key_and_give_the_same_maps(name, theirs, form, tmp_path):
    published = Config.fromfile(THEIRS / f'{theirs}.py').model
    tiny = CSPNEXT if published.backbone.type == 'CSPNeXt' else VIT
    published.backbone.update(tiny)
    published.head.in_channels = width = 64 if tiny is CSPNEXT else 16
    teacher = build('model', published).eval()
    torch.manual_seed(0)
    for key, value in teacher.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5 if key.endswith('running_var') else 0.2 * torch.randn_like(value))
    file = tmp_path / 'published.pth'
    torch.save(form(teacher.state_dict()), file)

    cfg = load_config(FOLDER / f'{name}.py')
    cfg.model.backbone.update(tiny)
    cfg.model.backbone.init_cfg.checkpoint = str(file)
    cfg.model.conditioner.in_channels = width
    model = posediff.init_model(cfg)
    with safe_loading():
        model.init_weights()
    expected = {key: value for key, value in teacher.state_dict().items() if key.startswith('backbone.')}
    loaded = {f'backbone.{key}': value for key, value in model.backbone.state_dict().items()}
    assert loaded.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(loaded[key], value), key

    clips = torch.randn(2, cfg.num_frames, 3, 256, 192)
    with torch.no_grad():
        maps = model.extract_features(clips)
        wanted = teacher.extract_feat(clips.flatten(0, 1))[-1]
        assert model.conditioner(maps).shape == (2, cfg.channels, 16, 12)
    assert wanted.std() > 1e-2
    torch.testing.assert_close(maps.flatten(0, 1), wanted, rtol=1e-5, atol=1e-5)
