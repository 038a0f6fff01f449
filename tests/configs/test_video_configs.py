"""Video configs: promised paths, consistent windows; each model runs one loss and one prediction at tiny size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData, PixelData

import posediff
from posediff.engine.config import load_config
from posediff.structures import PoseDataSample

pytest.importorskip('mmpose')
pytest.importorskip('timm')

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'configs' / 'video_2d_heatmap'
ALL = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob('*/*.py'))
MMPOSE = [path for path in ALL if path.startswith(('baselines/simplebaseline', 'baselines/vitpose'))]
CONFIGS = [path for path in ALL if path not in MMPOSE]
ABLATIONS = (
    'direct-single', 'lmsfi-single', 'direct-multi', 'low-resolution', 'concat-scales', 'delta0',
    'delta1',
)  # fmt: skip


def test_the_configs_that_users_are_promised_exist():
    promised = [f'diffpose/diffpose_vit-{size}_posetrack{year}-256x192' for size in 'bh' for year in (17, 18, 21)]
    promised += [f'diffpose/diffpose_vit-b_posetrack17-256x192_{name}' for name in ABLATIONS]
    promised += [f'diffpose/diffpose_{name}_posetrack17-256x192' for name in ('hrnet-w32', 'hrnet-w48', 'resnet50')]
    promised += [f'diffpose/diffpose_{name}_posetrack17-256x192' for name in ('vitpose-b', 'vitpose-h', 'rtmpose-m')]
    baselines = ('no-diffusion_vit-b', 'simplebaseline_resnet50', 'vitpose-b', 'vitpose-b_temporal-average')
    promised += [f'baselines/{name}_posetrack{year}-256x192' for name in baselines for year in (17, 18, 21)]
    assert not [name for name in promised if f'{name}.py' not in ALL]


@pytest.mark.parametrize('path', CONFIGS)
def test_a_leaf_is_short_and_its_windows_agree(path):
    assert len((FOLDER / path).read_text().splitlines()) <= 45
    cfg = load_config(FOLDER / path)
    datasets = [part for name in ('train', 'val', 'test') for part in parts(cfg[f'{name}_dataloader'].dataset)]
    windows = {dataset.num_frames for dataset in datasets}
    assert windows == {cfg.model.conditioner.num_frames}
    assert cfg.model.head.codec == cfg.codec
    assert ('posetrack17' in path) == (datasets[0].get('frame_base') == 1)
    roots = {cfg.data_root, *(cfg.get(name, cfg.data_root) for name in ('synthetic_root', 'pseudo_root'))}
    assert {dataset.source.data_root for dataset in datasets} == roots


def parts(dataset) -> list:
    """Return the datasets that a dataset consists of."""
    return dataset.datasets if dataset.type == 'WeightedConcatDataset' else [dataset]


def shrink(cfg) -> None:
    """Give the networks a few channels and layers at a quarter of the size, keeping what fits together."""
    backbone = cfg.model.backbone
    if backbone.type == 'TimmBackbone':
        backbone.update(pretrained=False, img_size=(64, 64), model_name='vit_tiny_patch16_224')
        backbone.model_kwargs = {'embed_dim': 12, 'depth': 1, 'num_heads': 2}
        cfg.model.conditioner.in_channels = 12
    elif backbone.type == 'mmpretrain.VisionTransformer':
        arch = {'embed_dims': 12, 'num_layers': 1, 'num_heads': 2, 'feedforward_channels': 24}
        backbone.update(arch=arch, img_size=(64, 64))
        cfg.model.conditioner.in_channels = 12
    elif backbone.type == 'mmpose.ResNet':
        backbone.depth = 18
        cfg.model.conditioner.in_channels = 512
    elif backbone.type == 'mmpose.CSPNeXt':
        backbone.update(deepen_factor=0.17, widen_factor=0.0625)
        cfg.model.conditioner.in_channels = 64
    if cfg.model.conditioner.type in ('SpatioTemporalConditioner', 'HeatmapConditioner'):
        cfg.model.conditioner.update(size=(4, 4), depth=1)
    cfg.model.head.codec.update(input_size=(64, 64), heatmap_size=(16, 16))
    if cfg.model.get('denoiser'):
        cfg.model.denoiser.heatmap_size = (16, 16)
        if cfg.model.denoiser.type == 'KeypointDecoder':
            cfg.model.denoiser.input_size = (64, 64)


def clips(num_frames: int, size: int) -> list[dict]:
    items = []
    for index in range(size):
        sample = PoseDataSample()
        sample.set_metainfo(
            {'sample_id': f'clip{index}', 'input_size': (64, 64), 'input_center': np.array([100.0, 50.0]),
             'input_scale': np.array([128.0, 128.0])}
        )  # fmt: skip
        sample.gt_instances = InstanceData(bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
        sample.gt_instances.transformed_keypoints = np.random.default_rng(index).uniform(0, 63, (1, 17, 2))
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, 17))
        sample.gt_fields = PixelData(heatmaps=torch.rand(17, 16, 16))
        frames = torch.randint(0, 256, (num_frames, 3, 64, 64), dtype=torch.uint8)
        items.append({'inputs': frames, 'data_samples': sample})
    return items


@pytest.mark.parametrize('path', CONFIGS)
def test_a_leaf_builds_small_and_runs_one_loss_and_one_prediction(path):
    cfg = load_config(FOLDER / path)
    shrink(cfg)
    model = posediff.init_model(cfg)
    num_frames = parts(cfg.train_dataloader.dataset)[0].num_frames
    loss = model.train()(**model.data_preprocessor(clips(num_frames, 2), True), mode='loss')['loss']
    loss.backward()
    assert bool(torch.isfinite(loss))
    unused = [
        name for name, parameter in model.named_parameters() if parameter.requires_grad and parameter.grad is None
    ]
    assert not unused
    sample = model.eval().test_step(clips(num_frames, 1))[0]
    assert sample.pred_instances.keypoints.shape == (1, 17, 2)


@pytest.mark.parametrize('path', MMPOSE)
def test_a_baseline_of_mmpose_sees_what_diffpose_sees_and_runs_one_loss_and_one_prediction(path):
    cfg, diffpose = load_config(FOLDER / path), load_config(FOLDER / _diffpose_of(path))
    averaged = 'temporal-average' in path
    for part in ('train', 'val', 'test'):
        mine, theirs = cfg[f'{part}_dataloader'].dataset, diffpose[f'{part}_dataloader'].dataset
        assert mine.num_frames == (theirs.num_frames if averaged else 1)
        assert (mine.source, mine.get('frame_base')) == (theirs.source, theirs.get('frame_base'))
        assert mine.pipeline[1:] == theirs.pipeline[1:]
        assert mine.pipeline[0].type == ('LoadClip' if averaged else 'LoadKeyFrame')
    assert cfg.val_evaluator == diffpose.val_evaluator
    assert (cfg.train_cfg, cfg.optim_wrapper) == (diffpose.train_cfg, diffpose.optim_wrapper)
    backbone = cfg.model.backbone
    if backbone.type == 'ResNet':
        backbone.depth, cfg.model.head.in_channels = 18, 512
    else:
        backbone.arch = {'embed_dims': 12, 'num_layers': 1, 'num_heads': 2, 'feedforward_channels': 24}
        backbone.img_size, cfg.model.head.in_channels = (64, 64), 12
    cfg.model.head.decoder.update(input_size=(64, 64), heatmap_size=(16, 16))
    model = posediff.init_model(cfg)
    items = clips(cfg.num_frames, 2)
    items = pseudo_collate(items if averaged else [{**clip, 'inputs': clip['inputs'][0]} for clip in items])
    losses = model.train()(**model.data_preprocessor(items, True), mode='loss')
    assert bool(torch.isfinite(losses['loss_kpt']))
    sample = model.eval().test_step(items)[0]
    assert sample.pred_instances.keypoints.shape == (1, 17, 2)


def _diffpose_of(path: str) -> str:
    return f'diffpose/diffpose_vit-b_{path.split("_")[-1]}'
