"""Every leaf config of 2D pose from video on a fake CUDA device: a training step and predict, in three precisions.

Leaves that differ in their data, or in sizes that say nothing about devices, have one small model: it runs once.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

import posediff
from posediff.engine.config import load_config
from posediff.registry import build_pipeline

pytest.importorskip('mmpose')
pytest.importorskip('timm')

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'video_2d_heatmap'
CONFIGS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob('*/*.py'))
JOINTS = 17
SIZE = {'input_size': (64, 64), 'heatmap_size': (16, 16)}

# Where predicting may wait, and how many times for a batch of clips.
WAITS = [
    # the end: poses go to the host, for heatmaps because the codec reads keypoints there
    ('posediff/models/heads/person_keypoints.py:attach', 1),
    # the same in MMPose's models, clip by clip
    ('mmpose/utils/tensor_utils.py:to_numpy', 2),
]
# MMEngine reverses the channels of every picture by an index from the host; only MMPose's models are fed by it
CHANNELS = [('mmengine/model/base_model/data_preprocessor.py:forward', 2)]


def shrink(cfg: Config) -> None:
    """One layer, few channels and a quarter of the size for all, keeping what fits together."""
    model, backbone = cfg.model, cfg.model.backbone
    backbone.pop('init_cfg', None)
    width = 12
    if backbone.type == 'TimmBackbone':
        backbone.update(pretrained=False, img_size=(64, 64), model_name='vit_tiny_patch16_224')
        backbone.pop('checkpoint', None)
        backbone.model_kwargs = {'embed_dim': 12, 'depth': 1, 'num_heads': 2, 'drop_path_rate': 0.1}
    elif backbone.type.endswith('VisionTransformer'):
        backbone.arch = {'embed_dims': 12, 'num_layers': 1, 'num_heads': 2, 'feedforward_channels': 24}
        backbone.img_size = (64, 64)
    elif backbone.type.endswith('ResNet'):
        backbone.depth, width = 18, 512
    elif backbone.type == 'MoveNetBackbone':
        backbone.checkpoint, width = None, 58 if backbone.get('keypoints') else 24
    elif backbone.type.endswith('CSPNeXt'):
        backbone.update(deepen_factor=0.17, widen_factor=0.0625)
        width = 64
    else:
        width = 8
        for number in range(1, 5):
            stage = backbone.extra[f'stage{number}']
            branches = stage.num_branches
            stage.update(num_modules=1, num_blocks=(1,) * branches, num_channels=(8,) * branches)
    if model.get('conditioner') is None:  # a model of MMPose
        model.head.in_channels = width
        model.head.decoder.update(SIZE)
        return
    model.conditioner.in_channels = width
    if model.conditioner.type in ('SpatioTemporalConditioner', 'HeatmapConditioner'):
        model.conditioner.update(size=(4, 4), depth=1)
    model.conditioner.channels = 16
    if model.conditioner.num_frames > 1:
        model.conditioner.num_frames = 3
    model.head.codec.update(SIZE)
    if model.head.type == 'KeypointHead':
        shrink_coordinates(model)
        return
    model.head.update(scale=2.0, offset=0.5)
    condition = 16 + (width * model.conditioner.patch_size**2 if model.conditioner.get('detail') else 0)
    if model.head.get('in_channels'):
        model.head.update(in_channels=condition, channels=8)
    denoiser = model.get('denoiser')
    if denoiser:
        tiny = {'depth': 1, 'conv_depth': 1, 'refine_depth': 1, 'out_channels': 8, 'step_channels': 8}
        channels = denoiser.get('channels', 128)
        tiny['channels'] = 8 if isinstance(channels, int) else (8,) * len(channels)
        denoiser.update({name: value for name, value in tiny.items() if name in denoiser})
        denoiser.update(heatmap_size=(16, 16), condition_channels=condition)
        model.test_cfg.update(num_hypotheses=2, num_inference_steps=2)
    model.pop('init_cfg', None)


def shrink_coordinates(model: Config) -> None:
    """The same for a model of joint coordinates, behind the backbone."""
    model.conditioner.map_channels = 8
    if model.head.get('in_channels'):
        model.head.update(in_channels=8, channels=8)
    if model.get('denoiser'):
        sizes = {'input_size': SIZE['input_size'], 'heatmap_size': (16, 16), 'map_channels': 8}
        model.denoiser.update(**sizes, channels=8, depth=1, step_channels=8)
        model.test_cfg.update(num_hypotheses=2, num_inference_steps=2)


def batch(cfg: Config, part: str) -> dict:
    """Two people through the transforms of ``part`` but the one that reads files, as the loader hands them over."""
    dataset = cfg[f'{part}_dataloader'].dataset
    dataset = dataset.datasets[0] if dataset.type == 'WeightedConcatDataset' else dataset
    load, steps = dataset.pipeline[0], dataset.pipeline[1:]
    if 'conditioner' in cfg.model:
        frames = cfg.model.conditioner.num_frames
    else:
        frames = 3 if load.type == 'LoadClip' else 1
    for step in steps:
        if step.type == 'mmpose.TopdownAffine':
            step.input_size = SIZE['input_size']
        if step.type == 'mmpose.GenerateTarget':
            step.encoder.update(SIZE)
    # these read the data set, which is not here; the labels are those of the model already
    transforms = build_pipeline([step for step in steps if step.type not in ('ConvertKeypoints', 'PasteOtherPerson')])
    rng = np.random.default_rng(0)
    items = []
    for number in range(2):
        pictures = [rng.integers(0, 256, (120, 160, 3), np.uint8) for _ in range(frames)]
        person = {
            'img': pictures if load.type == 'LoadClip' else pictures[0], 'img_shape': (120, 160),
            'ori_shape': (120, 160), 'img_path': ['000001.jpg'] * frames, 'id': number, 'img_id': number,
            'bbox': np.array([[40, 20, 100, 100]], np.float32), 'bbox_score': np.ones(1, np.float32),
            'keypoints': rng.uniform(40, 90, (1, JOINTS, 2)).astype(np.float32),
            'keypoints_visible': np.ones((1, JOINTS), np.float32), 'sample_id': f'video/{number}', 'key_index': 0,
            'flip_indices': list(range(JOINTS)), 'upper_body_ids': list(range(11)),
            'lower_body_ids': list(range(11, JOINTS)), 'dataset_keypoint_weights': np.ones(JOINTS, np.float32),
        }  # fmt: skip
        items.append(functools.reduce(lambda item, step: step(item), transforms, person))
    return pseudo_collate(items)


@pytest.fixture(scope='module')
def outcome(tools) -> Callable[[Config], list[str]]:
    """Waits of a config's model that are not listed; equal models run once."""
    known: dict[str, list[str]] = {}

    def run(cfg: Config) -> list[str]:
        key = json.dumps([cfg.model, cfg.optim_wrapper])
        if key not in known:
            model = posediff.init_model(cfg)
            channels = CHANNELS if cfg.model.data_preprocessor.type == 'PoseDataPreprocessor' else []
            batches = (lambda: batch(cfg, 'train')), (lambda: batch(cfg, 'val'))
            known[key] = tools.run_model(model, *batches, cfg.optim_wrapper, [*WAITS, *channels], channels)
        return known[key]

    return run


@pytest.mark.parametrize('path', CONFIGS)
def test_a_leaf_trains_and_predicts_on_cuda_without_a_wait(path, outcome):
    cfg = load_config(FOLDER / path)
    shrink(cfg)
    assert outcome(cfg) == []
