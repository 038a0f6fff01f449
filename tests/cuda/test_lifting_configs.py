"""Every leaf config of lifting on a fake CUDA device: a whole training step and predict, in three precisions.

Leaves that differ in their data alone have one model: it runs once, and what came out counts for all of them.
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
from posediff.geometry import Camera
from posediff.registry import build_pipeline
from posediff.structures.skeletons import get_skeleton

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / 'configs/lifting_3d').glob('*/*.py'))
PLUGIN = 'plugins/posediff_mixer/configs/mixer-2d_27f_cmu.py'

# Where predicting may wait, and how many times for a batch of clips.
WAITS = [
    # the end: poses and hypotheses go to the host, where metrics and files want them
    ('posediff/models/heads/lifting.py:attach', 2),
    # and so do the root positions of a network that predicts them
    ('posediff/models/estimator.py:_with_poses', 1),
]


def shrink(cfg: Config) -> None:
    """Give the networks of a config one layer and the widths and rates of all others, keeping what fits together."""
    model = cfg.model
    lifter, denoiser = model.conditioner.get('lifter'), model.get('denoiser')
    model.conditioner.pop('checkpoint', None)
    if lifter is not None and lifter.type != 'MixSTE':  # a control without depth
        lifter.update({'hidden_channels': 8} if lifter.get('hidden_channels') else {})
    elif lifter is not None:
        lifter.update(channels=16, depth=1)
        if model.head.get('in_channels'):
            model.head.in_channels = 16
        if denoiser:
            denoiser.condition_channels = 16
    if denoiser:
        denoiser.pop('init_cfg', None)
        tiny = {
            'depth': 1, 'channels': 16, 'num_layers': 1, 'num_heads': 2, 'step_channels': 8, 'pose_channels': 8,
            'dropout': 0.1,
        }  # fmt: skip
        denoiser.update({name: value for name, value in tiny.items() if denoiser.get(name)})
        model.setdefault('test_cfg', {}).update(num_hypotheses=2, num_inference_steps=2)


def window(cfg: Config, number: int, rng: np.random.Generator) -> dict:
    """A window as the dataset reads it; the second one ends before its frames do."""
    frames, skeleton = cfg.num_frames, cfg.model.head.get('skeleton', 'h36m17')
    camera = Camera(np.array([1145.0, 1140.0]), np.array([512.0, 515.0]), (1002, 1000), np.eye(3), np.zeros(3))
    shape = (frames, get_skeleton(skeleton).num_joints)
    joints_3d = (rng.normal(0, 300, (*shape, 3)) + [50, -80, 4500]).astype(np.float32)
    return {
        'camera': camera, 'joints_3d': joints_3d, 'keypoints_2d': camera.project(joints_3d).astype(np.float32),
        'keypoint_scores': np.ones(shape, np.float32), 'keypoint_mask': np.ones(shape, np.float32),
        'sample_id': f'test/1/clip/cam0/{number}', 'img_shape': camera.img_shape, 'fps': 50.0, 'skeleton': skeleton,
        'action': 'walk', 'subject': '1', 'frame_indices': np.arange(frames),
        'frame_mask': np.arange(frames) < frames - 5 * number, 'rng': rng,
    }  # fmt: skip


def batch(cfg: Config, part: str) -> dict:
    """Two windows through the pipeline of ``part``, as the loader hands them over."""
    transforms = build_pipeline(cfg[f'{part}_dataloader'].dataset.pipeline)
    rng = np.random.default_rng(0)
    items = [functools.reduce(lambda item, step: step(item), transforms, window(cfg, n, rng)) for n in range(2)]
    return pseudo_collate(items)


@pytest.fixture(scope='module')
def outcome(tools) -> Callable[[Config], list[str]]:
    """Waits of a config's model that are not listed; equal models run once."""
    known: dict[str, list[str]] = {}

    def run(cfg: Config) -> list[str]:
        key = json.dumps([cfg.model, cfg.num_frames, cfg.optim_wrapper])
        if key not in known:
            model = posediff.init_model(cfg)
            batches = (lambda: batch(cfg, 'train')), (lambda: batch(cfg, 'val'))
            known[key] = tools.run_model(model, *batches, cfg.optim_wrapper, WAITS)
        return known[key]

    return run


@pytest.mark.parametrize('path', [*CONFIGS, PLUGIN])
def test_a_leaf_trains_and_predicts_on_cuda_without_a_wait(path, outcome, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'plugins/posediff_mixer'))
    cfg = load_config(ROOT / path)
    shrink(cfg)
    assert outcome(cfg) == []
