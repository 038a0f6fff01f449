"""Every leaf config of lifting: short, consistent, and its model runs one loss and one prediction at tiny size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

import posediff
from posediff.engine.config import load_config
from posediff.geometry import Camera
from posediff.structures import PoseDataSample

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / 'configs/lifting_3d').glob('*/*.py'))
CAMERA = Camera(np.array([1145.0, 1145.0]), np.array([500.0, 500.0]), (1000, 1000), np.eye(3), np.zeros(3))
EXPECTED = [
    *(f'mixste/mixste-c64_27f_{data}.py' for data in ('h36m', 'cmu')),
    *(f'diffhpe/diffhpe-{kind}_27f_{data}.py' for kind in ('2d', 'wrapper') for data in ('h36m', 'cmu')),
    'mixste/mixste-c512_243f_h36m.py',
    *(f'fmpose3d/fmpose3d_1f_{data}.py' for data in ('h36m', 'cmu')),
    *(f'd3dp/d3dp-c512_{frames}f_h36m.py' for frames in (27, 243)),
]


def shrink(cfg) -> None:
    """Give the networks of a config a few channels and layers, keeping what fits together."""
    model = cfg.model
    lifter = model.conditioner.get('lifter')
    if lifter is not None and lifter.type != 'MixSTE':  # a control without depth
        lifter.update({'hidden_channels': 8} if lifter.get('hidden_channels') else {})
    elif lifter is not None:
        lifter.update(channels=16, depth=2)
        if model.head.get('in_channels'):
            model.head.in_channels = 16
        if model.get('denoiser'):
            model.denoiser.condition_channels = 16
    if model.get('denoiser'):
        tiny = {'channels': 16, 'num_layers': 2, 'depth': 1, 'num_heads': 2, 'step_channels': 8}
        model.denoiser.update({name: value for name, value in tiny.items() if name in model.denoiser})


def clips(cfg, size: int) -> list[dict]:
    frames, items = cfg.num_frames, []
    for index in range(size):
        sample = PoseDataSample(metainfo={'sample_id': f'clip{index}', 'img_shape': (1000, 1000), 'camera': CAMERA})
        sample.set_metainfo({'skeleton': cfg.skeleton})
        sample.gt_instances = InstanceData(
            lifting_target=300 * torch.randn(frames, 17, 3), root_position=torch.tensor([[0.0, 0.0, 4000.0]] * frames)
        )
        items.append({'inputs': {'keypoints_2d': 1000 * torch.rand(frames, 17, 2)}, 'data_samples': sample})
    return items


def test_the_configs_that_users_are_promised_exist():
    for name in EXPECTED:
        assert (ROOT / 'configs/lifting_3d' / name).is_file(), name
    patterns = ('random', 'random-left-arm-right-leg', 'structured-joint', 'structured-frame')
    for stem in (
        'mixste/mixste-c64',
        'diffhpe/diffhpe-2d',
        'diffhpe/diffhpe-wrapper',
        'diffhpe/diffhpe-wrapper-vanilla',
    ):
        for data in ('h36m', 'cmu'):
            for pattern in patterns:
                assert (ROOT / f'configs/lifting_3d/{stem}_27f_{data}_{pattern}.py').is_file()


@pytest.mark.parametrize('path', CONFIGS)
def test_a_leaf_is_short_and_consistent(path):
    assert len((ROOT / path).read_text().splitlines()) <= 40
    cfg = load_config(ROOT / path)
    for part in ('train', 'val', 'test'):
        assert cfg[f'{part}_dataloader'].dataset.window_size == cfg.num_frames, part
    # --auto-scale-lr multiplies by the real batch over this one: it has to be the one that the rate belongs to
    assert cfg.auto_scale_lr.base_batch_size == cfg.train_dataloader.batch_size
    assert cfg.test_dataloader.dataset.get('max_items') is None
    occlusions = [
        [step.pattern for step in cfg[f'{part}_dataloader'].dataset.pipeline if step.type == 'KeypointOcclusion']
        for part in ('train', 'val', 'test')
    ]
    pattern = path.removesuffix('.py').split('_')[-1].replace('-', '_')
    named = pattern.startswith(('random', 'structured')) or pattern == 'all'
    expected = [[pattern] if named else []] * 3
    if pattern == 'cmu_mediapipe17':  # detectors leave joints out; what of them is tested is drawn by their noise alone
        expected = [['all'], [], []]
    assert occlusions == expected


@pytest.mark.parametrize('path', CONFIGS)
def test_a_leaf_builds_small_and_runs_one_loss_and_one_prediction(path):
    cfg = load_config(ROOT / path)
    shrink(cfg)
    model = posediff.init_model(cfg, cfg_options={'model.test_cfg.num_inference_steps': 2})
    data = model.data_preprocessor(clips(cfg, 2), training=True)
    loss = model.train()(**data, mode='loss')['loss']
    loss.backward()
    assert bool(torch.isfinite(loss))
    sample = model.eval().test_step(clips(cfg, 1))[0]
    assert sample.pred_instances.keypoints.shape == (cfg.num_frames, 17, 3)
    assert len(sample.pred_hypotheses) == model.test_cfg.num_hypotheses
