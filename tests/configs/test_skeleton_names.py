"""One name for the joints of a data set: of its items, of the model that is trained on them, of what it lifts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.registry import init_default_scope

import posediff
from posediff.assets import LIFTER_CHECKPOINT, LIFTER_CONFIG
from posediff.datasets import CMUMocapDataset
from posediff.engine.config import load_config
from posediff.fileio.checkpoint import load_state
from posediff.models.layers.non_local import POOLING_ORDER
from posediff.registry import MODELS
from posediff.structures.skeletons import CMU17, H36M17, MEDIAPIPE17

ROOT = Path(__file__).resolve().parents[2]
CMU_CONFIGS = sorted((ROOT / 'configs' / 'lifting_3d').glob('*/*_cmu*.py'))
H36M_CONFIGS = sorted((ROOT / 'configs' / 'lifting_3d').glob('*/*_h36m*.py'))


def skeletons(model: Any) -> dict[str, str | None]:
    """Skeleton names in a model's config, by part."""
    parts = {'head': model.head, 'lifter': model.conditioner.get('lifter'), 'denoiser': model.get('denoiser')}
    return {name: part.get('skeleton') for name, part in parts.items() if part is not None}


@pytest.mark.parametrize('path', CMU_CONFIGS, ids=lambda path: path.stem)
def test_models_for_cmu_have_the_skeleton_of_the_data(path):
    config = load_config(path)
    names = skeletons(config.model)
    expected = path.stem.partition('_cmu-')[2] or 'cmu17'
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        names[loader] = config[loader].dataset.get('skeleton', CMUMocapDataset.skeleton_name)
    assert set(names.values()) == {expected}, names


@pytest.mark.parametrize('path', H36M_CONFIGS, ids=lambda path: path.stem)
def test_models_for_human36m_have_its_skeleton(path):
    assert set(skeletons(load_config(path).model).values()) == {'h36m17'}


def test_the_shipped_lifter_says_what_it_lifts():
    assert set(skeletons(load_config(LIFTER_CONFIG).model).values()) == {'mediapipe17'}
    assert posediff.init_model(LIFTER_CONFIG, LIFTER_CHECKPOINT).head.skeleton is MEDIAPIPE17


@pytest.mark.parametrize('skeleton', [CMU17, MEDIAPIPE17], ids=lambda skeleton: skeleton.name)
def test_skeletons_of_17_joints_have_one_graph(skeleton):
    for name in ('joint_names', 'parents', 'left', 'right', 'flip_indices', 'segments'):
        assert getattr(skeleton, name) == getattr(H36M17, name), name
    assert POOLING_ORDER[skeleton.name] == POOLING_ORDER[H36M17.name]


def test_weights_of_one_name_give_the_same_poses_under_the_other():
    """Checkpoints from before the name was changed stay what they were."""
    init_default_scope('posediff')
    outputs = []
    for name in ('h36m17', 'cmu17'):
        model = load_config(LIFTER_CONFIG).model
        model.denoiser.skeleton = model.head.skeleton = model.conditioner.lifter.skeleton = name
        model.conditioner.flip_skeleton = name
        estimator = MODELS.build(model).eval()
        estimator.load_state_dict(load_state(LIFTER_CHECKPOINT))
        inputs = torch.rand(2, 81, 17, 3, generator=torch.Generator().manual_seed(0)) - 0.5
        noise = torch.Generator().manual_seed(1)
        outputs.append(estimator.sample_inputs(inputs, 2, 2, generator=noise))
        outputs.append(estimator.head.flip_inputs(inputs))
    assert torch.equal(outputs[0], outputs[2])
    assert torch.equal(outputs[1], outputs[3])
